package drill_test

import (
	"fmt"
	"strings"

	"github.com/livens/livens/internal/lab"
)

const (
	zoneName = "chat.test"
	poolName = "chat"
)

// zone is the zone file that all nameservers have.
func (w *world) zone() string {
	var names, glue []string
	for _, ns := range w.nameservers {
		names = append(names, fmt.Sprintf("%q", ns.name+"."+zoneName+"."))
		glue = append(glue, fmt.Sprintf("%q", ns.name+" A "+ns.host.Addr.String()))
	}
	return fmt.Sprintf(`[zone]
name = %q
ns = [%s]
contact = "hostmaster@chat.test"
records = [%s]
[pool.%s]
answers = ["@"]
ttl = 1
[pool.%s.check]
type = "http"
port = %d
path = "/healthz"
`, zoneName, strings.Join(names, ", "), strings.Join(glue, ", "), poolName, poolName, webPort) +
		w.deploymentTable(w.primary, w.a) + w.deploymentTable(w.redundant, w.b)
}

func (w *world) deploymentTable(d *deployment, site *lab.Site) string {
	return fmt.Sprintf("[[pool.%s.deployment]]\nname = %q\nsite = %q\naddresses = [%q]\n", poolName, d.Name, site.Name, d.host.Addr)
}
