// Package model is the unified data model: one Go type for each entity, the
// same names for the same things whatever the system.
//
// A connector fills these types and marshals them; what it cannot fill stays
// null. The host knows the entities by name through Lookup and Entities, checks
// paths with Entity.Field, and serves Schema. Everything that is told about an
// entity (its fields, kinds, words, references) is read from the type itself,
// once, so that there is no second list to keep in step.
//
// The types hold an entity's own fields. What stands beside every record (id,
// created_at, updated_at, deleted, sequence, version, custom) travels outside
// of them and is no connector's field.
//
// Every enumeration has a twin with the system's own word: Status beside
// StatusNative. A native word that no mapping names is Unknown, never an error.
// Numbers keep the digits that the system sent, amounts of money are decimal
// strings, times are UTC with milliseconds.
//
// The package imports the standard library alone. Within v1 it changes by
// addition only.
package model
