module github.com/dinrail/dinrail

go 1.26.0

require (
	github.com/agext/levenshtein v1.2.1 // "did you mean"
	github.com/dgraph-io/badger/v4 v4.9.6 // the store on disk
	github.com/fsnotify/fsnotify v1.9.0 // host.watch
	github.com/go-sql-driver/mysql v1.10.1 // plugins/sql: MariaDB and MySQL
	github.com/hashicorp/go-hclog v1.6.3 // the log, of host and connectors alike
	github.com/hashicorp/go-plugin v1.8.0 // connectors as processes
	github.com/hashicorp/hcl/v2 v2.25.0 // the configuration
	github.com/jackc/pgx/v5 v5.12.0 // plugins/sql: PostgreSQL
	github.com/oklog/ulid/v2 v2.1.2 // ids that sort by their time
	github.com/prometheus/client_golang v1.25.0 // /metrics
	github.com/rogpeppe/go-internal v1.16.0 // tests: the command line by scripts
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // tests: answers held against their description
	github.com/spf13/cobra v1.10.2 // the command line
	github.com/standard-webhooks/standard-webhooks/libraries v0.0.1 // tests: signatures held against the official library
	github.com/tink-crypto/tink-go/v2 v2.9.0 // keysets and sealing
	github.com/yuin/goldmark v1.7.13 // guides in Markdown on the connect page
	github.com/zclconf/go-cty v1.20.0 // values of HCL
	go.yaml.in/yaml/v3 v3.0.5 // /openapi.yaml
	golang.org/x/oauth2 v0.38.0 // tokens of systems that log in by OAuth
	golang.org/x/sys v0.49.0 // sockets, signals and memory of processes
	golang.org/x/term v0.47.0 // a password typed without an echo
	golang.org/x/text v0.42.0 // answers of systems in other charsets than UTF-8
	golang.org/x/time v0.16.0 // rates
	google.golang.org/grpc v1.85.0 // the wire to connectors
	google.golang.org/protobuf v1.36.12 // the wire to connectors
	pgregory.net/rapid v1.3.0 // tests: random walks that shrink
)

require (
	github.com/chromedp/cdproto v0.0.0-20250724212937-08a3db8b4327 // tests: with chromedp
	github.com/chromedp/chromedp v0.14.2 // tests: pages in a real browser
)

require (
	filippo.io/edwards25519 v1.2.0 // indirect
	github.com/apparentlymart/go-textseg/v15 v15.0.0 // indirect
	github.com/apparentlymart/go-textseg/v17 v17.0.1 // indirect
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/chromedp/sysutil v1.1.0 // indirect
	github.com/dgraph-io/ristretto/v2 v2.2.0 // indirect
	github.com/dustin/go-humanize v1.0.1 // indirect
	github.com/fatih/color v1.13.0 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/go-logr/logr v1.4.4 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/gobwas/pool v0.2.1 // indirect
	github.com/gobwas/ws v1.4.0 // indirect
	github.com/golang/protobuf v1.5.4 // indirect
	github.com/google/flatbuffers v25.2.10+incompatible // indirect
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/hashicorp/yamux v0.1.2 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/klauspost/compress v1.20.1 // indirect
	github.com/mattn/go-colorable v0.1.14 // indirect
	github.com/mattn/go-isatty v0.0.20 // indirect
	github.com/mitchellh/go-wordwrap v1.0.1 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/oklog/run v1.1.0 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.72.0 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	github.com/spf13/pflag v1.0.10 // indirect
	go.opentelemetry.io/auto/sdk v1.2.1 // indirect
	go.opentelemetry.io/otel v1.45.0 // indirect
	go.opentelemetry.io/otel/metric v1.45.0 // indirect
	go.opentelemetry.io/otel/trace v1.45.0 // indirect
	golang.org/x/crypto v0.57.0 // indirect
	golang.org/x/mod v0.41.0 // indirect
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/tools v0.49.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260817212433-ac3dfec99bb1 // indirect
)
