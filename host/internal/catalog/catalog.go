// Package catalog says which systems can be connected: it joins what the
// connectors describe and what systems' files do into one list.
//
// It promises one system per name: where two connectors serve the same name,
// the first by the connectors' names wins, and a problem tells of the other. It
// is immutable: a new set of connectors or files makes a new catalog.
//
// It refuses processes: who asks a connector what it serves is the caller.
package catalog

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dinrail/dinrail/host"
)

// Described is what one connector says of itself.
type Described struct {
	Connector host.ConnectorName
	Version   string
	Systems   []host.System
}

// Catalog is the list of systems that can be connected.
type Catalog struct {
	systems     []host.System // by name
	definitions map[host.SystemName]*Definition
	missing     []host.System
}

// New returns the catalog of the systems that connectors describe, in any
// order, and files do, by folder, and what is wrong with them.
func New(described []Described, folders ...[]Defined) (*Catalog, []host.Problem) {
	var all []host.System
	for _, d := range described {
		for _, s := range d.Systems {
			s.Connector = d.Connector
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b host.System) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Connector, b.Connector))
	})
	c := &Catalog{definitions: map[host.SystemName]*Definition{}}
	var problems []host.Problem
	for _, s := range all {
		if n := len(c.systems); n > 0 && c.systems[n-1].Name == s.Name {
			first := c.systems[n-1].Connector
			problems = append(problems, host.Problem{Code: host.CodeConflict, Message: fmt.Sprintf(
				"the connectors %q and %q both serve the system %q; that of %q is used: take one of the two out of the plugin_dir",
				first, s.Connector, s.Name, first)})
			continue
		}
		c.systems = append(c.systems, s)
	}
	connectors := make([]host.ConnectorName, len(described))
	for i := range described {
		connectors[i] = described[i].Connector
	}
	problems = append(problems, c.join(folders, connectors)...)
	slices.SortFunc(c.systems, func(a, b host.System) int { return cmp.Compare(a.Name, b.Name) })
	return c, problems
}

// Definition returns the file that describes a system; nil: its connector does.
func (c *Catalog) Definition(name host.SystemName) *Definition { return c.definitions[name] }

// Missing are the systems that a file describes whose connector is not there.
func (c *Catalog) Missing() []host.System { return c.missing }

// Lookup returns a system by its name.
func (c *Catalog) Lookup(name host.SystemName) (host.System, bool) {
	i, ok := slices.BinarySearchFunc(c.systems, name, func(s host.System, n host.SystemName) int { return cmp.Compare(s.Name, n) })
	if !ok {
		return host.System{}, false
	}
	return c.systems[i], true
}

// List returns all systems by name. The list is the caller's.
func (c *Catalog) List() []host.System { return slices.Clone(c.systems) }
