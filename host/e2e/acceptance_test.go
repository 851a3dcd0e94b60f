package e2e_test

import (
	"path/filepath"
	"testing"

	"github.com/dinrail/dinrail/sdk/sdktest"
)

// Every connector of ours passes the suite that any connector is held to,
// against the real system.
func TestConnectorsPassTheAcceptanceSuite(t *testing.T) {
	program := func(name string) string { return filepath.Join(bin, "plugins", "dinrail-plugin-"+name) }
	t.Run("sandbox", func(t *testing.T) {
		p := newPlant(t)
		sdktest.Run(t, sdktest.Options{Binary: program("sandbox"), Settings: map[string]any{"url": p.url}, Credentials: map[string]string{"username": "operator", "password": "plant-7"}})
	})
	t.Run("rest", func(t *testing.T) {
		p := newPlant(t)
		sdktest.Run(t, sdktest.Options{
			Binary: program("rest"), Definition: filepath.Join("..", "..", "configs", "systems", "sandbox-rest.hcl"),
			Settings: map[string]any{"url": p.url}, Credentials: map[string]string{"username": "operator", "password": "plant-7"},
		})
	})
	t.Run("tryton", func(t *testing.T) {
		y := newTryton(t)
		sdktest.Run(t, sdktest.Options{
			Binary: program("tryton"), Settings: map[string]any{"url": y.url}, Entities: []string{"purchase_orders", "goods_receipts", "inventory_levels", "production_operations"},
			Credentials: map[string]string{"username": "reader", "password": y.facts["TRYTON_READER_PASSWORD"]},
		})
	})
	t.Run("sql", func(t *testing.T) {
		d := sqlDatabases(t)
		for url, password := range map[string]string{"postgres://127.0.0.1:" + d.postgresPort + "/plant": "C0nnector-PG-Lab", "mariadb://127.0.0.1:" + d.mariadbPort + "/plant": "C0nnector-Maria-Lab"} {
			sdktest.Run(t, sdktest.Options{
				Binary: program("sql"), Settings: map[string]any{"url": url, "tables": "teil, bestellposition, spare_parts, legacy_purchase"},
				Credentials: map[string]string{"username": "connector", "password": password},
			})
		}
	})
}
