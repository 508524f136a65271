package web

import (
	"fmt"
	"strings"
	"testing"

	"github.com/livens/livens/failover"
)

func TestPageFoldsManyAlerts(t *testing.T) {
	for n, want := range map[int]string{3: "", 4: "<summary>1 more</summary>", 10: "<summary>7 more</summary>"} {
		s := &Status{}
		for i := range n {
			s.Alerts = append(s.Alerts, failover.Alert{Code: fmt.Sprintf("alert-%d", i), Severity: failover.Warning})
		}
		var b strings.Builder
		if err := pageTemplate.Execute(&b, s); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		if strings.Count(page, "<details") != strings.Count(page, "</details>") || strings.Contains(page, "<details") != (want != "") || !strings.Contains(page, want) {
			t.Errorf("%d alerts: want %q", n, want)
		}
		for i := range n {
			if !strings.Contains(page, fmt.Sprintf("alert-%d", i)) {
				t.Errorf("alert %d of %d is missing", i, n)
			}
		}
	}
}
