// Package daemon builds the host from its configuration and runs it: it opens
// the store, starts the connectors' processes, the stages and the API, in the
// order in which data flows, and stops them in the opposite order.
//
// It is wiring alone: what a stage does stands in its own package, and this
// one hands each the few functions that it needs of the others.
package daemon
