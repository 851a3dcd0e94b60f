package main

import (
	"math/big"
)

// derive fills in what follows from other fields, so that a record hangs
// together whoever wrote it.
func derive(collection string, f fields) {
	switch collection {
	case "stock":
		f["free"] = round(num(f, "quantity") - num(f, "reserved"))
	case "purchaseOrders":
		derivePrices(f)
	}
}

// taxPercent is the tax on whatever has the tax code "V19".
const taxPercent = 19

// derivePrices computes the amounts of an order's lines, and their sums.
func derivePrices(f fields) {
	net, tax := new(big.Rat), new(big.Rat)
	for _, one := range listOf(f["lines"]) {
		line := one.(fields)
		price, ok := new(big.Rat).SetString(str(line, "price"))
		if !ok || line["quantity"] == nil {
			line["tax"], line["amount"] = nil, nil
			continue
		}
		amount := cents(price.Mul(price, ratio(num(line, "quantity"))))
		amount = cents(amount.Mul(amount, ratio(1-num(line, "discountPercent")/100)))
		lineTax := new(big.Rat)
		if str(line, "taxCode") == "V19" {
			lineTax = cents(lineTax.Mul(amount, big.NewRat(taxPercent, 100)))
		}
		line["amount"], line["tax"] = amount.FloatString(2), lineTax.FloatString(2)
		net.Add(net, amount)
		tax.Add(tax, lineTax)
	}
	gross := new(big.Rat).Add(net, tax)
	if freight, ok := new(big.Rat).SetString(str(f, "freight")); ok {
		gross.Add(gross, freight)
	}
	f["net"], f["tax"], f["gross"] = net.FloatString(2), tax.FloatString(2), gross.FloatString(2)
}

// ratio is a number exactly as its decimal digits say.
func ratio(v float64) *big.Rat {
	r, _ := new(big.Rat).SetString(decimal(v))
	return r
}

// cents rounds an amount to two digits.
func cents(r *big.Rat) *big.Rat {
	rounded, _ := new(big.Rat).SetString(r.FloatString(2))
	return rounded
}
