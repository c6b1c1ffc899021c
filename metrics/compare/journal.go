package compare

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// journal remembers what was computed, by keys that name everything it depends on. It is a file of one JSON line per
// entry, appended as soon as something is known, so that an interruption loses nothing; a torn last line is skipped.
// Its methods may be called from several goroutines.
type journal struct {
	mu      sync.Mutex
	entries map[string]json.RawMessage
	file    *os.File
}

type journalLine struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

func openJournal(path string) (*journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, fmt.Errorf("make the folder of the cache: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, fmt.Errorf("open the cache: %w", err)
	}
	j := &journal{entries: map[string]json.RawMessage{}, file: f}
	if err := j.load(); err != nil {
		f.Close()
		return nil, fmt.Errorf("read the cache %q: %w", path, err)
	}
	return j, nil
}

func (j *journal) load() error {
	r := bufio.NewReader(j.file)
	for {
		line, err := r.ReadBytes('\n')
		var entry journalLine
		if json.Unmarshal(line, &entry) == nil && err == nil {
			j.entries[entry.Key] = entry.Value
		}
		switch {
		case err == io.EOF && len(line) > 0: // torn: the next entry must not be glued to it
			_, err = j.file.WriteString("\n")
			return err
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// get fills value with the entry and reports whether there is one that fits.
func (j *journal) get(key string, value any) bool {
	j.mu.Lock()
	raw, ok := j.entries[key]
	j.mu.Unlock()
	return ok && json.Unmarshal(raw, value) == nil
}

func (j *journal) put(key string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	line, err := json.Marshal(journalLine{key, raw})
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries[key] = raw
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write the cache: %w", err)
	}
	return nil
}

func (j *journal) close() error { return j.file.Close() }

// keyOf names something by all it depends on.
func keyOf(kind string, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return kind + " " + hex.EncodeToString(sum[:16])
}

// digests are the sha256 of files, each read once in a run.
type digests struct{ known sync.Map }

func (d *digests) of(path string) (string, error) {
	once, _ := d.known.LoadOrStore(path, sync.OnceValues(func() (string, error) { return digest(path) }))
	return once.(func() (string, error))()
}

func digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
