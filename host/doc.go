// Package host holds the nouns of Dinrail and their pure rules: connections,
// entities, records, syncs, runs, events, deliveries, endpoints, tokens, and
// errors with their codes.
//
// It promises that nothing in it does input or output, keeps time or starts a
// goroutine: a rule is a function of its arguments, and time is one of them.
// It imports the standard library alone, so that every other package can speak
// in its terms without dragging anything along.
//
// It refuses storage, wire and configuration formats: those belong to state,
// proto and config. A newcomer reads this package first.
package host
