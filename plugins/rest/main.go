// Command dinrail-plugin-rest runs the files of systems that speak HTTP with
// JSON or XML. How they are written is told in configs/systems/README.md; what
// runs them is sdk/definition/web.
package main

import (
	"github.com/dinrail/dinrail/sdk"
	"github.com/dinrail/dinrail/sdk/definition/web"
)

func main() { sdk.Serve(web.New("rest", web.Protocol{})) }
