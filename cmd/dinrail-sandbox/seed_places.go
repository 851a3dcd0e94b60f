package main

import "fmt"

// seedPlaces makes the plant's places, and gives their ids by code.
func seedPlaces(s *step) map[string]int64 {
	ids := make(map[string]int64)
	site := fields{"name": plantName, "street": "Werkstrasse 7", "zip": "67059", "town": "Ludwigshafen", "region": "Rheinland-Pfalz", "countryCode": "DE"}
	for _, p := range []struct{ code, name, kind, parent string }{
		{"SITE", plantName, "PLANT", ""},
		{"B1", "Production building", "BUILDING", "SITE"},
		{"B2", "Utilities building", "BUILDING", "SITE"},
		{"H1", "Machining hall", "HALL", "B1"},
		{"H2", "Assembly hall", "HALL", "B1"},
		{"LAB", "Quality laboratory", "HALL", "B1"},
		{"BH", "Boiler house", "HALL", "B2"},
		{"W1", "Main store", "WAREHOUSE", "SITE"},
		{"W2", "Spare parts store", "WAREHOUSE", "SITE"},
		{"DOCK", "Receiving dock", "WAREHOUSE", "SITE"},
	} {
		f := fields{"code": p.code, "name": p.name, "type": p.kind, "active": true, "parentPlace": ids[p.parent]}
		if p.parent == "" {
			f["address"] = site
		}
		ids[p.code] = s.create("places", f)
	}
	for i, store := range []string{"W1", "W1", "W1", "W2", "W2", "W2"} {
		code := fmt.Sprintf("%s-%02d", store, i%3+1)
		ids[code] = s.create("places", fields{"code": code, "name": "Shelf " + code, "type": "SHELF", "active": true, "parentPlace": ids[store]})
	}
	return ids
}

// seedSuppliers makes those who deliver, and gives their ids.
func seedSuppliers(s *step) []int64 {
	var ids []int64
	for i, v := range []struct{ name, town, country, zip, contact string }{
		{"Gussmann Castings GmbH", "Siegen", "DE", "57072", "Petra Gussmann"},
		{"Acero del Norte SA", "Bilbao", "ES", "48001", "Jon Etxeberria"},
		{"Nordlager AB", "Gothenburg", "SE", "41101", "Karin Holm"},
		{"Dichtwerk Seals AG", "Winterthur", "CH", "8400", "Beat Frei"},
		{"Elmo Drives BV", "Eindhoven", "NL", "5611", "Daan Visser"},
		{"Fluidtec Instruments Ltd", "Leeds", "GB", "LS1", "Amy Clarke"},
		{"Toolhouse Kowalski", "Poznan", "PL", "60-101", "Marek Kowalski"},
		{"Lubra Oils SARL", "Lyon", "FR", "69002", "Claire Petit"},
	} {
		status := "ACTIVE"
		if i == 6 {
			status = "BLOCKED"
		}
		ids = append(ids, s.create("suppliers", fields{
			"name": v.name, "status": status, "vatNo": fmt.Sprintf("%s%09d", v.country, 123456000+i*37), "currency": "EUR",
			"paymentTerms": fields{"code": "N30", "name": "30 days net", "days": 30},
			"mail":         fmt.Sprintf("orders%d@supplier.example", i+1), "phone": fmt.Sprintf("+49 621 555 01%02d", i), "web": "https://supplier.example",
			"address":  fields{"name": v.name, "street": fmt.Sprintf("Industry Road %d", 10+i), "zip": v.zip, "town": v.town, "countryCode": v.country},
			"contacts": []fields{{"id": 1, "pos": 1, "name": v.contact, "role": "Sales", "mail": fmt.Sprintf("sales%d@supplier.example", i+1)}},
		}))
	}
	return ids
}

// seedEquipment makes lines, machines, utilities and gages, and gives their ids
// by tag.
func seedEquipment(s *step, f *floor, places map[string]int64) map[string]int64 {
	ids := make(map[string]int64)
	day := func(years int) string {
		return s.at.AddDate(-years, -f.rng.IntN(11), -f.rng.IntN(27)).Format("2006-01-02")
	}
	for i, e := range []struct{ tag, name, kind, parent, place, category, abc, maker, model string }{
		{"L-1", "Machining line", "LINE", "", "H1", "Lines", "A", "", ""},
		{"L-2", "Assembly line", "LINE", "", "H2", "Lines", "A", "", ""},
		{"M-11", "Shaft lathe", "MACHINE", "L-1", "H1", "Machine tools", "A", "Turnwell", "TX 420"},
		{"M-12", "Impeller lathe", "MACHINE", "L-1", "H1", "Machine tools", "A", "Turnwell", "TX 520"},
		{"M-13", "Milling centre", "MACHINE", "L-1", "H1", "Machine tools", "A", "Frezmak", "V5"},
		{"M-14", "Balancing machine", "MACHINE", "L-1", "H1", "Machine tools", "B", "Rotabal", "RB-2"},
		{"M-21", "Assembly cell A", "MACHINE", "L-2", "H2", "Assembly", "A", "Own build", "Cell A"},
		{"M-22", "Assembly cell B", "MACHINE", "L-2", "H2", "Assembly", "A", "Own build", "Cell B"},
		{"M-31", "Pump test bench", "MACHINE", "L-2", "H2", "Test benches", "A", "Fluidtec", "TB-90"},
		{"P-101", "Boiler feed pump 1", "MACHINE", "", "BH", "Pumps", "A", "Own build", "PX-80"},
		{"P-102", "Boiler feed pump 2", "MACHINE", "", "BH", "Pumps", "B", "Own build", "PX-80"},
		{"P-103", "Cooling water pump", "MACHINE", "", "BH", "Pumps", "A", "Own build", "PX-125"},
		{"P-104", "Condensate pump", "MACHINE", "", "BH", "Pumps", "B", "Own build", "PX-40"},
		{"K-201", "Air compressor 1", "MACHINE", "", "BH", "Compressors", "A", "Airon", "AC-75"},
		{"K-202", "Air compressor 2", "MACHINE", "", "BH", "Compressors", "B", "Airon", "AC-75"},
		{"B-301", "Steam boiler", "MACHINE", "", "BH", "Boilers", "A", "Kessler", "ST 1000"},
		{"C-401", "Belt conveyor machining", "MACHINE", "L-1", "H1", "Conveyors", "B", "Transa", "BC-12"},
		{"C-402", "Belt conveyor assembly", "MACHINE", "L-2", "H2", "Conveyors", "B", "Transa", "BC-18"},
		{"H-501", "Overhead crane", "MACHINE", "", "H2", "Lifting", "B", "Hevo", "5t"},
		{"V-601", "Exhaust fan", "MACHINE", "", "H1", "Ventilation", "C", "Ventus", "F-8"},
		{"M-11.SP", "Spindle of shaft lathe", "COMPONENT", "M-11", "H1", "Spindles", "A", "Turnwell", "SP-42"},
		{"M-12.SP", "Spindle of impeller lathe", "COMPONENT", "M-12", "H1", "Spindles", "A", "Turnwell", "SP-52"},
		{"M-13.SP", "Spindle of milling centre", "COMPONENT", "M-13", "H1", "Spindles", "A", "Frezmak", "SP-5"},
		{"P-101.M", "Motor of boiler feed pump 1", "COMPONENT", "P-101", "BH", "Motors", "A", "Elmo", "EM-22"},
		{"P-102.M", "Motor of boiler feed pump 2", "COMPONENT", "P-102", "BH", "Motors", "B", "Elmo", "EM-22"},
		{"P-103.M", "Motor of cooling water pump", "COMPONENT", "P-103", "BH", "Motors", "A", "Elmo", "EM-45"},
		{"K-201.F", "Filter of air compressor 1", "COMPONENT", "K-201", "BH", "Filters", "C", "Airon", "AF-3"},
		{"G-01", "Micrometer 0-50", "GAGE", "", "LAB", "Gages", "B", "Fluidtec", "MI-50"},
		{"G-02", "Bore gage 20-60", "GAGE", "", "LAB", "Gages", "B", "Fluidtec", "BG-60"},
		{"G-03", "Pressure calibrator", "GAGE", "", "LAB", "Gages", "A", "Fluidtec", "PC-25"},
		{"G-04", "Coordinate measuring machine", "GAGE", "", "LAB", "Gages", "A", "Metris", "C-700"},
		{"P-105", "Spare feed pump", "MACHINE", "", "W2", "Pumps", "C", "Own build", "PX-80"},
	} {
		condition := "OK"
		if e.tag == "P-105" {
			condition = "SPARE"
		}
		ids[e.tag] = s.create("equipment", fields{
			"tag": e.tag, "name": e.name, "type": e.kind, "parentEquipment": ids[e.parent], "place": places[e.place], "category": e.category,
			"condition": condition, "abc": e.abc, "serialNo": fmt.Sprintf("SN%06d", 410000+i*173), "maker": e.maker, "model": e.model,
			"barcode": fmt.Sprintf("77%08d", 1000+i), "installedOn": day(3 + i%5), "boughtOn": day(4 + i%5), "warrantyUntil": s.at.AddDate(i%4-1, 0, 0).Format("2006-01-02"),
			"price": fields{"value": fmt.Sprintf("%d.00", 2500+i*3170), "currency": "EUR"},
		})
	}
	return ids
}
