package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// variablePrefix is what every variable of the product begins with. A name with this prefix that is not in the table
// is a fault, since it is nearly always a slip of the pen in one that is.
const variablePrefix = "CREDENZA_"

// maxSecretFile bounds what is read of a …_FILE: a database URL with every option stays far below it.
const maxSecretFile = 64 << 10

// environment is the variables of a process by name.
type environment struct{ values map[string]string }

func newEnvironment(environ []string) *environment {
	env := &environment{values: make(map[string]string, len(environ))}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env.values[name] = value
		}
	}
	return env
}

// value returns the value of the option, from its variable or from the file that NAME_FILE names; "" when neither is
// set. The error never holds a value of a secret.
func (env *environment) value(o Option) (string, error) {
	value := env.values[o.Name]
	path := env.values[o.Name+"_FILE"]
	if !o.Secret || path == "" {
		return value, nil
	}
	if value != "" {
		return "", fmt.Errorf("is set together with %s_FILE: set one of them", o.Name)
	}
	value, err := readSecretFile(path)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", o.Name, err)
	}
	return value, nil
}

// readSecretFile returns the content of the file without the line end that editors add.
func readSecretFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // was only read
	content, err := io.ReadAll(io.LimitReader(file, maxSecretFile+1))
	if err != nil {
		return "", err
	}
	if len(content) > maxSecretFile {
		return "", fmt.Errorf("%s is longer than %d bytes", path, maxSecretFile)
	}
	value := strings.TrimRight(string(content), "\r\n")
	if value == "" {
		return "", errors.New(path + " is empty")
	}
	return value, nil
}

// unknown returns a fault for each variable with the product's prefix that no setting has.
func (env *environment) unknown() []Fault {
	known := knownNames()
	var faults []Fault
	for name := range env.values {
		if strings.HasPrefix(name, variablePrefix) && !slices.Contains(known, name) {
			faults = append(faults, Fault{Name: name, Text: "is not a setting; the nearest is " + nearest(name, known)})
		}
	}
	slices.SortFunc(faults, func(a, b Fault) int { return strings.Compare(a.Name, b.Name) })
	return faults
}

// knownNames returns every variable that Load reads.
func knownNames() []string {
	var names []string
	for _, o := range Options() {
		names = append(names, o.Name)
		if o.Secret {
			names = append(names, o.Name+"_FILE")
		}
	}
	return names
}

// nearest returns the name of known that is reached from name with the fewest single-letter changes.
func nearest(name string, known []string) string {
	return slices.MinFunc(known, func(a, b string) int { return distance(name, a) - distance(name, b) })
}

// distance is the Levenshtein distance of two ASCII strings.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := diagonal
			if a[i-1] != b[j-1] {
				change++
			}
			diagonal = row[j]
			row[j] = min(change, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// masterKeyFile returns the default of CREDENZA_MASTER_KEY_FILE in this environment, or "" when it names no
// configuration directory.
func (env *environment) masterKeyFile(databaseURL string) string {
	directory := env.values["XDG_CONFIG_HOME"]
	if !filepath.IsAbs(directory) { // the XDG base directory specification ignores relative ones
		home := env.values["HOME"]
		if !filepath.IsAbs(home) {
			return ""
		}
		directory = filepath.Join(home, ".config")
	}
	return MasterKeyFile(directory, databaseURL)
}
