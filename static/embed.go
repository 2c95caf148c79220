// Package static holds the stylesheet, the script and the symbols of the portal, and serves them.
//
// The files are embedded. Each is served under a name with a hash of its content (/static/app.3f2a….css), so that
// browsers may keep it for ever and a new build is never mixed with an old page. Nothing else is served: no listing, no
// unhashed name, no other method than GET and HEAD.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed app.css app.js icons.svg favicon.svg
var content embed.FS

// Prefix is the path below which Handler answers.
const Prefix = "/static/"

// Files are the static files of this build. It is safe for concurrent use.
type Files struct {
	urls   map[string]string // file name → URL
	byPath map[string]file   // URL → file
}

type file struct {
	name, contentType, tag string
	body, packed           []byte // packed: gzip
}

// contentType returns the content type by extension. The machine's own table is not asked: it may lack some or say other things.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return "application/octet-stream"
	}
}

// Load hashes the embedded files. An error means that the build is broken.
func Load() (*Files, error) {
	entries, err := content.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("list static files: %w", err)
	}
	f := &Files{urls: map[string]string{}, byPath: map[string]file{}}
	for _, entry := range entries {
		body, err := content.ReadFile(entry.Name())
		if err != nil {
			return nil, fmt.Errorf("read static file %s: %w", entry.Name(), err)
		}
		if err := f.add(entry.Name(), body); err != nil {
			return nil, fmt.Errorf("pack static file %s: %w", entry.Name(), err)
		}
	}
	return f, nil
}

func (f *Files) add(name string, body []byte) error {
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := zip.Write(body); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:6])
	ext := path.Ext(name)
	url := Prefix + strings.TrimSuffix(name, ext) + "." + hash + ext
	f.urls[name] = url
	f.byPath[url] = file{
		name: name, contentType: contentType(name), tag: `"` + hash + `"`, body: body, packed: packed.Bytes(),
	}
	return nil
}

// Assets are the addresses the pages need. The fields are those of templates.Assets: convert.
type Assets struct{ CSS, JS, Icons, Favicon string }

// Assets returns the addresses of this build.
func (f *Files) Assets() Assets {
	return Assets{
		CSS: f.urls["app.css"], JS: f.urls["app.js"], Icons: f.urls["icons.svg"], Favicon: f.urls["favicon.svg"],
	}
}

// Handler serves the files below Prefix: a year, immutable. Everything else is 404.
func (f *Files) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, ok := f.byPath[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", file.contentType)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("ETag", file.tag)
		h.Set("X-Content-Type-Options", "nosniff")
		// An address of a symbol opened by itself is a document: it must be able to do nothing.
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		h.Set("Vary", "Accept-Encoding")
		body := file.body
		if takesGzip(r) {
			h.Set("Content-Encoding", "gzip")
			h.Set("ETag", strings.TrimSuffix(file.tag, `"`)+`-gz"`)
			body = file.packed
		}
		http.ServeContent(w, r, file.name, time.Time{}, bytes.NewReader(body))
	})
}

// takesGzip reports whether the client said that it unpacks gzip. A refusal by "q=0" is honoured.
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.TrimSpace(name) == "gzip" {
			return strings.TrimSpace(weight) != "q=0"
		}
	}
	return false
}
