package slack

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// File is an uploaded file as messages show it.
type File struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Filetype string   `json:"filetype"`
	Size     int      `json:"size"`
	User     string   `json:"user"`
	URL      string   `json:"url_private"` // needs a token with files:read
	AltText  string   `json:"alt_txt,omitempty"`
	Channels []string `json:"channels,omitempty"` // where it was shared
}

// file is a File on its way: begun, uploaded, completed.
type file struct {
	File
	app      *app
	length   int // as announced
	content  []byte
	uploaded bool
	complete bool
}

// getUploadURL begins an upload: the content is then posted to the URL, once,
// and files.completeUploadExternal makes it a file.
func getUploadURL(c *call) (answer, error) {
	length, err := strconv.Atoi(c.str("length"))
	if err != nil || length <= 0 || c.str("filename") == "" {
		return nil, refuseWith("invalid_arguments", []string{"[ERROR] missing required field: filename or length"})
	}
	if length > c.app.dials.FileMax {
		return nil, refuse("file_upload_size_restricted")
	}
	name := c.str("filename")
	f := &file{app: c.app, length: length}
	f.File = File{ID: c.w.id("F"), Name: name, Title: name, Filetype: filetype(name), Size: length, User: c.app.BotUser, AltText: c.str("alt_txt")}
	f.URL = fmt.Sprintf("%s/files-pri/%s-%s/%s", c.w.base, c.app.Team, f.ID, name)
	path := "/upload/v1/" + c.w.secret(20)
	c.w.files[f.ID], c.w.uploads[path] = f, f
	return answer{"upload_url": c.w.base + path, "file_id": f.ID}, nil
}

func filetype(name string) string {
	return strings.ToLower(name[strings.LastIndex(name, ".")+1:])
}

// serveUpload takes a file's content: the raw body, or a form's first file.
func (w *World) serveUpload(rw http.ResponseWriter, r *http.Request) {
	body, err := uploaded(r)
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.uploads[r.URL.Path]
	status, said := http.StatusOK, fmt.Sprintf("OK - %d", len(body))
	switch {
	case r.Method != http.MethodPost || f == nil:
		status, said = http.StatusNotFound, "no such upload"
	case err != nil || len(body) != f.length:
		status, said = http.StatusBadRequest, "not the announced length"
	default:
		delete(w.uploads, r.URL.Path) // for once
		f.content, f.uploaded = body, true
	}
	w.record(Entry{Kind: "upload", Name: "upload", Status: status})
	http.Error(rw, said, status)
}

func uploaded(r *http.Request) ([]byte, error) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		if err := r.ParseMultipartForm(32 << 20); err != nil {
			return nil, err
		}
		for _, parts := range r.MultipartForm.File {
			part, err := parts[0].Open()
			if err != nil {
				return nil, err
			}
			defer part.Close()
			return io.ReadAll(part)
		}
	}
	return io.ReadAll(io.LimitReader(r.Body, 32<<20))
}

// completeUpload makes uploads files and, with a channel, posts them there.
func completeUpload(c *call) (answer, error) {
	var named []struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	if err := c.object("files", &named); err != nil || len(named) == 0 {
		return nil, refuseWith("invalid_arguments", []string{"[ERROR] missing required field: files"})
	}
	var all []*file
	for _, n := range named {
		f := c.w.files[n.ID]
		if f == nil || f.app != c.app || !f.uploaded || f.complete {
			return nil, refuse("file_not_found")
		}
		if n.Title != "" {
			f.Title = n.Title
		}
		all = append(all, f)
	}
	if c.has("channel_id") {
		if err := c.share(all); err != nil {
			return nil, err
		}
	}
	shown := []any{}
	for _, f := range all {
		f.complete = true
		shown = append(shown, f.File)
	}
	return answer{"files": shown}, nil
}

// share posts files into a channel, with the initial comment.
func (c *call) share(all []*file) error {
	ch, err := c.conversation(c.str("channel_id"), false)
	if err == nil {
		err = c.writable(ch)
	}
	if err != nil {
		return err
	}
	m := c.byApp(content{text: c.str("initial_comment")})
	if m.Thread = c.str("thread_ts"); m.Thread != "" && ch.live(m.Thread) == nil {
		return refuse("invalid_thread_ts")
	}
	for _, f := range all {
		f.Channels = append(f.Channels, ch.ID)
		m.Files = append(m.Files, f.File)
	}
	c.w.add(ch, m)
	return nil
}

func filesInfo(c *call) (answer, error) {
	f, err := c.file()
	if err != nil {
		return nil, err
	}
	return answer{"file": f.File, "comments": []any{}}, nil
}

func filesDelete(c *call) (answer, error) {
	f, err := c.file()
	switch {
	case err != nil:
		return nil, err
	case f.app != c.app:
		return nil, refuse("cant_delete_file")
	}
	delete(c.w.files, f.ID)
	return answer{}, nil
}

// file finds a complete file that the app may see: its own, or one shared where
// its bot is.
func (c *call) file() (*file, error) {
	f := c.w.files[c.str("file")]
	if f == nil || !f.complete || !c.w.shows(f, c.app) {
		return nil, refuse("file_not_found")
	}
	return f, nil
}

func (w *World) shows(f *file, a *app) bool {
	return f.app == a || slices.ContainsFunc(f.Channels, func(id string) bool { return w.channels[id] != nil && w.channels[id].has(a.BotUser) })
}

// serveFile is url_private: the content, for a token that may read files.
func (w *World) serveFile(rw http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	w.mu.Lock()
	defer w.mu.Unlock()
	a, err := w.authenticate(method{}, token)
	_, id, _ := strings.Cut(r.PathValue("id"), "-")
	f := w.files[id]
	switch {
	case err != nil || !slices.Contains(a.Scopes, "files:read"):
		http.Error(rw, "sign in", http.StatusForbidden) // the real one shows its sign-in page
	case f == nil || !f.complete || !w.shows(f, a):
		http.NotFound(rw, r)
	default:
		rw.Header().Set("Content-Type", http.DetectContentType(f.content))
		_, _ = rw.Write(f.content)
	}
}

// checkFiles complains about slack_file pictures that nobody could be shown.
func (w *World) checkFiles(a *app, v any, where string) []string {
	var problems []string
	for _, at := range w.unshown(a, v) {
		problems = append(problems, fmt.Sprintf("[ERROR] invalid slack file [json-pointer:%s%s]", where, at))
	}
	return problems
}

// unshown are the pointers to those pictures.
func (w *World) unshown(a *app, v any) (at []string) {
	in := func(name string, e any) {
		for _, below := range w.unshown(a, e) {
			at = append(at, "/"+name+below)
		}
	}
	switch v := v.(type) {
	case []Block:
		for i, b := range v {
			in(strconv.Itoa(i), b)
		}
	case []any:
		for i, e := range v {
			in(strconv.Itoa(i), e)
		}
	case map[string]any:
		for name, e := range v {
			if ref, ok := e.(map[string]any); ok && name == "slack_file" {
				if !w.picture(a, ref) {
					at = append(at, "/slack_file")
				}
				continue
			}
			in(name, e)
		}
	}
	return at
}

func (w *World) picture(a *app, ref map[string]any) bool {
	for _, f := range w.files {
		if (f.ID == ref["id"] || f.URL == ref["url"]) && f.complete && w.shows(f, a) {
			return slices.Contains([]string{"png", "jpg", "jpeg", "gif"}, f.Filetype)
		}
	}
	return false
}

// Files lists all complete files.
func (w *World) Files() []File {
	all := sorted(w, w.files, func(f *file) *file { return f })
	out := []File{}
	for _, f := range all {
		if f.complete {
			out = append(out, f.File)
		}
	}
	return out
}

// Content is what is in a file, as everybody sees it who may see the file; nil
// if there is none.
func (w *World) Content(id string) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f := w.files[id]; f != nil && f.complete {
		return f.content
	}
	return nil
}
