package host

import "time"

// ProcessStatus is what a plugin's process can be.
type ProcessStatus string

// The statuses of a plugin.
const (
	ProcessStarting    ProcessStatus = "starting"
	ProcessRunning     ProcessStatus = "running"
	ProcessStopped     ProcessStatus = "stopped"
	ProcessRestarting  ProcessStatus = "restarting"
	ProcessQuarantined ProcessStatus = "quarantined" // a process for one connection that was in flight at two crashes
	ProcessCrashed     ProcessStatus = "crashed"     // five crashes in ten minutes
)

// Process is the state of one plugin process, as the plugin stage reports it.
type Process struct {
	ID          string        `json:"id"` // connector, and what it serves
	Connector   ConnectorName `json:"connector"`
	System      SystemName    `json:"system,omitempty"`
	Connection  ConnectionID  `json:"connection_id,omitempty"` // set where the process serves one connection alone
	Version     string        `json:"version,omitempty"`
	PID         int           `json:"pid,omitempty"`
	Status      ProcessStatus `json:"status"`
	Since       time.Time     `json:"since"`
	Restarts    int           `json:"restarts"`
	Memory      int64         `json:"memory"`      // RssAnon in bytes
	Connections int           `json:"connections"` // open in it
	Reason      string        `json:"reason,omitempty"`
	ReasonCode  Code          `json:"reason_code,omitempty"` // why the last process ended, where nobody wanted it
	Log         []string      `json:"log,omitempty"`         // last lines, redacted
}
