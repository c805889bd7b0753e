package devops

import (
	"strings"
	"testing"
)

// Caught by an outside reader: clients tell errors apart by their typeKey,
// which names the exception; only numbered errors have it in their message.
func TestErrorsNameTheirException(t *testing.T) {
	for key, want := range map[string][2]string{"TF400813": {"UnauthorizedRequestException", "TF400813: no"}, "VssResourceNotFoundException": {"VssResourceNotFoundException", "no"}} {
		body := trouble(400, key, "no").Body.(obj)
		name, _ := body["typeName"].(string)
		if body["typeKey"] != want[0] || body["message"] != want[1] || !strings.Contains(name, want[0]) {
			t.Errorf("%s: %v", key, body)
		}
	}
}

// What is in preview must be asked for as a preview, and a version is a number.
func TestPreviewsAreAskedFor(t *testing.T) {
	x := newWorld(t, nil)
	for v, want := range map[string]string{"7.2-preview.1": "", "7.2-preview": "", "7.1": "", "7.2": "VssInvalidPreviewVersionException", "latest": "VssVersionOutOfRangeException"} {
		rec := x.call(reader, "GET", dev+"securitynamespaces/"+Collection+"?api-version="+v, "")
		if want == "" && rec.Code != 200 || want != "" && (rec.Code != 400 || !strings.Contains(rec.Body.String(), want)) {
			t.Errorf("%s: %d %s", v, rec.Code, rec.Body)
		}
	}
}
