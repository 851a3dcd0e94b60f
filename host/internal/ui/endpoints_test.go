package ui_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

func TestEndpointsTellHowTheyStandAndAreActedOnByRole(t *testing.T) {
	r := setup(t)
	v, o, ad := r.as("viewer"), r.as("operator"), r.as("admin")
	_, text := v.get("/endpoints")
	r.must(shows(text, "No endpoint is there yet"))
	r.put(state.KindEndpoint, "app", &host.Endpoint{ID: "app", URL: "https://app.example.com/hooks", ManagedBy: host.ManagedByAPI, Events: []string{"sync.*"}, Timeout: 10 * time.Second, CreatedAt: time.Now()})
	r.owed(3)
	_, text = v.get("/endpoints")
	r.must(shows(text, "https://app.example.com/hooks", "enabled"))
	_, text = v.get("/endpoints/app")
	r.must(shows(text, "sync.*", "10s", "!Disable</button>", "!Rotate</button>", "status=dead&amp;endpoint=app"))
	_, text = o.get("/endpoints/app")
	r.must(shows(text, "Disable</button>", "Send a test", "!Rotate</button>"))
	_, text = o.post("/endpoints/app/disable", nil)
	r.must(shows(text, "what it is owed is held", "Enable</button>", "!Disable</button>"))
	_, text = o.post("/endpoints/app/enable", nil)
	r.must(shows(text, "The endpoint is served again", "Disable</button>"))
	if status, _ := o.post("/endpoints/app/rotate-secret", nil); status != http.StatusForbidden {
		t.Errorf("an operator rotates: %d", status)
	}
	_, text = ad.post("/endpoints/app/rotate-secret", nil)
	r.must(shows(text, "whsec_", "It is shown this once"))
	_, text = ad.get("/endpoints/app")
	r.must(shows(text, "!whsec_", "Rotate</button>"))
	_, text = r.as("limited").get("/")
	r.must(shows(text, `!href="/endpoints"`))
}
