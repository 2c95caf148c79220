package signin

import (
	"encoding/json"
	"fmt"
	"time"

	"credenza.example/credenza/internal/database"
)

// payload is a session between the manager and the store. Row and Seen tell which row it was read from and when that was
// last used; they are columns and not data.
type payload struct {
	Row    string            `json:"row,omitempty"`
	Seen   string            `json:"seen,omitempty"`
	Until  int64             `json:"until"`
	Values map[string]string `json:"values"`
}

// codec writes a session's values as JSON. It takes strings only, so that nothing is lost on the way.
type codec struct{}

// Encode implements scs.Codec.
func (codec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	p := payload{Until: database.Micros(deadline), Values: make(map[string]string, len(values))}
	for key, value := range values {
		text, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("a session holds text only; %s is a %T", key, value)
		}
		switch key {
		case keyRow:
			p.Row = text
		case keySeen:
			p.Seen = text
		default:
			p.Values[key] = text
		}
	}
	return json.Marshal(p)
}

// Decode implements scs.Codec.
func (codec) Decode(b []byte) (time.Time, map[string]any, error) {
	var p payload
	if err := json.Unmarshal(b, &p); err != nil {
		return time.Time{}, nil, fmt.Errorf("read a session: %w", err)
	}
	values := make(map[string]any, len(p.Values)+2)
	for key, value := range p.Values {
		values[key] = value
	}
	values[keyRow], values[keySeen] = p.Row, p.Seen
	return database.FromMicros(p.Until), values, nil
}
