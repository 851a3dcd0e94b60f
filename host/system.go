package host

// System is what one can connect to, as a connector or a definition describes
// it.
type System struct {
	Name       SystemName    `json:"name"`
	Label      string        `json:"label"`
	Vendor     string        `json:"vendor,omitempty"`
	Category   string        `json:"category"` // cmms eam erp wms mrp mes qms database machine other
	Website    string        `json:"website,omitempty"`
	Connector  ConnectorName `json:"connector"`
	Definition string        `json:"definition,omitempty"` // name of the HCL file it stands in; empty: the connector's own
	Guide      string        `json:"guide,omitempty"`      // Markdown
	Settings   []Setting     `json:"settings"`
	Auth       []AuthMethod  `json:"auth"`
	Entities   []Entity      `json:"entities,omitempty"` // known before any login; empty where only a login tells
	Proof      string        `json:"proof,omitempty"`
}

// Setting is one field that a connection of the system has.
type Setting struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"` // string, number, bool, url, duration
	Label       string   `json:"label"`
	Help        string   `json:"help,omitempty"`
	Placeholder string   `json:"placeholder,omitempty"`
	Pattern     string   `json:"pattern,omitempty"` // RE2, anchored
	Choices     []string `json:"choices,omitempty"`
	Default     string   `json:"default,omitempty"`
	Required    bool     `json:"required"`
	Secret      bool     `json:"secret"`
}

// AuthMethod is one way to log in to a system, and the fields it asks for.
type AuthMethod struct {
	Name   string    `json:"name"` // basic, api_key, bearer, oauth2, session, none
	Label  string    `json:"label"`
	Fields []Setting `json:"fields"`
	OAuth  *OAuth    `json:"oauth,omitempty"` // of oauth2
}
