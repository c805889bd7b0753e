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
