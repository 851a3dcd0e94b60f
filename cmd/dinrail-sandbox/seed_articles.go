package main

import "fmt"

// stocked is an article with what is usual about it.
type stocked struct {
	code, name, kind, group, unit string
	supplier                      int    // place in the list of suppliers; -1: made here
	cost                          string // in EUR
	start, reorder                float64
}

// articleList is everything that the plant keeps.
func articleList() []stocked {
	var all []stocked
	for i, n := range sizes {
		size := func(format string) string { return fmt.Sprintf(format, n) }
		price := func(base int) string { return fmt.Sprintf("%d.50", base*(i+2)) }
		all = append(all,
			stocked{size("PX-%d"), size("Process pump PX %d"), "FINISHED", "Pumps", "pcs", -1, price(310), 0, 0},
			stocked{size("IMP-%d"), size("Impeller %d"), "SEMI", "Impellers", "pcs", -1, price(42), 0, 0},
			stocked{size("SHA-%d"), size("Shaft %d"), "SEMI", "Shafts", "pcs", -1, price(28), 0, 0},
			stocked{size("CST-%d"), size("Impeller casting %d"), "RAW", "Castings", "pcs", 0, price(17), 0, 0},
			stocked{size("CAS-%d"), size("Pump casing %d"), "RAW", "Castings", "pcs", 0, price(55), 0, 0},
			stocked{size("SEAL-%d"), size("Mechanical seal %d"), "RAW", "Seals", "pcs", 3, price(23), 0, 0},
			stocked{size("BRG-%d"), size("Bearing set %d"), "RAW", "Bearings", "pcs", 2, price(9), 0, 0},
			stocked{size("MOT-%d"), size("Motor for PX %d"), "RAW", "Motors", "pcs", 4, price(120), 0, 0},
		)
	}
	all = append(all, stocked{"BAR-C45", "Round bar C45", "RAW", "Steel", "m", 1, "11.20", 0, 0})
	for i, spare := range []struct {
		code, name string
		supplier   int
	}{
		{"SP-1001", "V-belt SPA 1250", 6},
		{"SP-1002", "Oil filter AF-3", 7},
		{"SP-1003", "Gear oil ISO VG 220, 20 l", 7},
		{"SP-1004", "Bearing grease, 400 g", 7},
		{"SP-1005", "Coolant filter cartridge", 5},
		{"SP-1006", "Pressure sensor 0-25 bar", 5},
		{"SP-1007", "Proximity switch M12", 5},
		{"SP-1008", "Coupling insert", 2},
		{"SP-1009", "Spindle bearing 7014", 2},
		{"SP-1010", "Contactor 32 A", 4},
		{"SP-1011", "Fuse 63 A", 4},
		{"SP-1012", "Seal kit P-101", 3},
		{"SP-1013", "Seal kit P-103", 3},
		{"SP-1014", "Conveyor belt 12 m", 6},
		{"SP-1015", "Safety light curtain", 5},
	} {
		all = append(all, stocked{spare.code, spare.name, "SPARE", "Spare parts", "pcs", spare.supplier, fmt.Sprintf("%d.90", 6+i*13), float64(12 + i*3), float64(4 + i)})
	}
	return all
}

// seedArticles makes the articles, where they lie, and what is measured on them.
func seedArticles(s *step, f *floor, places, equipment map[string]int64, suppliers []int64) {
	for i, a := range articleList() {
		made := a.supplier < 0
		article := fields{
			"articleNo": a.code, "name": a.name, "type": a.kind, "group": a.group, "unit": a.unit, "active": true,
			"batchManaged": a.kind != "SPARE", "serialManaged": false, "cost": fields{"value": a.cost, "currency": "EUR"},
			"ean": fmt.Sprintf("40%011d", 51234000+i), "reorderLot": 50,
		}
		if made {
			article["drawingRev"] = string(rune('A' + i%4))
			article["maker"] = plantName
		} else {
			article["deliveryDays"] = 3 + i%12
			article["makerPartNo"] = fmt.Sprintf("MP-%05d", 20000+i*91)
			article["sources"] = []fields{{
				"id": 1, "pos": 1, "supplier": suppliers[a.supplier], "theirNo": fmt.Sprintf("%d-%s", 800+i, a.code),
				"price": fields{"value": a.cost, "currency": "EUR"}, "packSize": 1, "minOrder": 10, "deliveryDays": 3 + i%12, "preferred": true,
			}}
		}
		if a.kind == "SPARE" {
			article["fitsEquipment"] = []int64{equipment["P-101"], equipment["P-103"], equipment["M-11"]}[:1+i%3]
		}
		id := s.create("articles", article)
		place, bin := places["W1-01"], fmt.Sprintf("%c%02d", 'A'+i%6, i%20+1)
		if a.kind == "SPARE" {
			place = places["W2-01"]
		}
		stock := s.create("stock", fields{
			"article": id, "place": place, "bin": bin, "quantity": a.start, "reserved": 0, "onOrder": 0,
			"minimum": a.reorder / 2, "maximum": 400 + a.reorder*10, "reorderAt": a.reorder, "unit": a.unit, "countedAt": s.at,
		})
		f.articles[a.code], f.codes[id], f.stock[id] = id, a.code, stock
		seedFeatures(s, a, id, equipment)
	}
}

// seedFeatures makes what is measured on an article.
func seedFeatures(s *step, a stocked, article int64, equipment map[string]int64) {
	variable := func(name, unit string, nominal, half float64, gage, class string) {
		sigma := half / 4 // a capable process
		reach := 3 * sigma / 2.236
		s.create("features", fields{
			"name": name, "article": article, "drawingRev": "A", "type": "VARIABLE", "unit": unit, "nominal": nominal,
			"lsl": nominal - half, "usl": nominal + half, "lcl": nominal - reach, "ucl": nominal + reach, "chart": "XBAR_R", "sampleSize": subgroupSize,
			"frequency": "5 pieces an hour", "gage": equipment[gage], "class": class, "active": true,
		})
	}
	size := float64(lastNumber(a.code))
	switch a.kind + a.group {
	case "SEMIShafts":
		variable("Bearing seat diameter", "mm", size/2, 0.012, "G-01", "CRITICAL")
	case "SEMIImpellers":
		variable("Bore diameter", "mm", size/2, 0.02, "G-02", "CRITICAL")
		variable("Width", "mm", size/4, 0.1, "G-04", "MINOR")
	case "FINISHEDPumps":
		variable("Pressure at rated flow", "bar", 6+size/25, 0.4, "G-03", "MAJOR")
	}
}

// lastNumber is the number that a code ends with.
func lastNumber(code string) int {
	n, scale := 0, 1
	for i := len(code) - 1; i >= 0 && code[i] >= '0' && code[i] <= '9'; i-- {
		n += int(code[i]-'0') * scale
		scale *= 10
	}
	return n
}

// seedGauges makes what can be read on equipment.
func seedGauges(s *step, equipment map[string]int64) {
	for _, g := range []struct {
		code, name, tag, unit, kind string
		counting                    bool
		value                       float64
	}{
		{"P-101.H", "Running hours boiler feed pump 1", "P-101", "h", "AUTO", true, 18250},
		{"P-101.V", "Vibration boiler feed pump 1", "P-101", "mm/s", "IOT", false, 2.4},
		{"P-101.T", "Bearing temperature boiler feed pump 1", "P-101", "°C", "IOT", false, 58},
		{"P-102.H", "Running hours boiler feed pump 2", "P-102", "h", "AUTO", true, 9120},
		{"P-103.H", "Running hours cooling water pump", "P-103", "h", "AUTO", true, 22540},
		{"P-103.P", "Pressure cooling water", "P-103", "bar", "PROCESS", false, 4.2},
		{"K-201.H", "Running hours air compressor 1", "K-201", "h", "AUTO", true, 31200},
		{"K-201.P", "Compressed air pressure", "K-201", "bar", "PROCESS", false, 7.6},
		{"B-301.P", "Steam pressure", "B-301", "bar", "PROCESS", false, 9.8},
		{"M-11.H", "Spindle hours shaft lathe", "M-11", "h", "AUTO", true, 12800},
		{"M-12.H", "Spindle hours impeller lathe", "M-12", "h", "AUTO", true, 11150},
		{"H-501.L", "Load cycles overhead crane", "H-501", "cycles", "MANUAL", true, 48100},
	} {
		s.create("gauges", fields{
			"code": g.code, "name": g.name, "equipment": equipment[g.tag], "unit": g.unit, "type": g.kind, "counting": g.counting,
			"lastValue": g.value, "lastReadAt": s.at,
		})
	}
}
