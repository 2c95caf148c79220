package database

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"gorm.io/gorm/schema"
)

// Clock tells the time. Everything that decides by time is given one, so that tests can move it.
type Clock func() time.Time

// SystemClock is the clock of the machine: UTC, whole microseconds.
func SystemClock() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Micros returns t as the databases store it: microseconds since 1970, UTC.
func Micros(t time.Time) int64 { return t.UnixMicro() }

// FromMicros is the inverse of Micros.
func FromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// micros is the serializer behind `gorm:"serializer:micros"`, for time.Time and *time.Time.
type micros struct{}

// Scan implements schema.SerializerInterface.
func (micros) Scan(ctx context.Context, field *schema.Field, dst reflect.Value, dbValue any) error {
	switch v := dbValue.(type) {
	case nil:
		return field.Set(ctx, dst, nil)
	case int64:
		return field.Set(ctx, dst, FromMicros(v))
	default:
		return fmt.Errorf("column %s holds %T, not microseconds", field.DBName, dbValue)
	}
}

// Value implements schema.SerializerInterface.
func (micros) Value(_ context.Context, field *schema.Field, _ reflect.Value, value any) (any, error) {
	switch v := value.(type) {
	case time.Time:
		return Micros(v), nil
	case *time.Time:
		if v == nil {
			return nil, nil
		}
		return Micros(*v), nil
	default:
		return nil, fmt.Errorf("field %s is %T, not a time", field.Name, value)
	}
}
