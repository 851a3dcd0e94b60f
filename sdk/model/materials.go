package model

// Item is a material, part, product or service.
type Item struct {
	Head
	Description            Text            `json:"description"`
	Kind                   ItemKind        `json:"kind"`
	KindNative             Text            `json:"kind_native"`
	Category               Text            `json:"category"`
	Parent                 *Reference      `json:"parent" ref:"items" doc:"The item that this is a variant of."`
	Attributes             []ItemAttribute `json:"attributes"`
	UOM                    Text            `json:"uom"`
	Active                 *bool           `json:"active"`
	SerialTracked          *bool           `json:"serial_tracked"`
	LotTracked             *bool           `json:"lot_tracked"`
	UnitCost               *Money          `json:"unit_cost"`
	UnitPrice              *Money          `json:"unit_price"`
	Barcode                Text            `json:"barcode"`
	GTIN                   Text            `json:"gtin"`
	Manufacturer           Text            `json:"manufacturer"`
	ManufacturerPartNumber Text            `json:"manufacturer_part_number"`
	Revision               Text            `json:"revision"`
	ReorderQuantity        Number          `json:"reorder_quantity"`
	LeadTimeDays           Number          `json:"lead_time_days"`
	Assets                 []Reference     `json:"assets" ref:"assets" doc:"The assets that it fits."`
	Suppliers              []ItemSupplier  `json:"suppliers"`
}

// ItemAttribute tells a variant of an item from the others.
type ItemAttribute struct {
	Line
	Name  Text `json:"name"`
	Value Text `json:"value"`
}

// ItemSupplier is a vendor that an item can be bought from.
type ItemSupplier struct {
	Line
	Vendor       *Reference `json:"vendor" ref:"vendors"`
	SKU          Text       `json:"sku" doc:"The vendor's own number for the item."`
	Price        *Money     `json:"price"`
	PackQuantity Number     `json:"pack_quantity"`
	MinQuantity  Number     `json:"min_quantity"`
	LeadTimeDays Number     `json:"lead_time_days"`
	Preferred    *bool      `json:"preferred"`
}

// InventoryLevel is how much of an item lies at a location.
type InventoryLevel struct {
	Head
	Item         *Reference `json:"item" ref:"items"`
	Location     *Reference `json:"location" ref:"locations"`
	Lot          *Reference `json:"lot" ref:"lots"`
	Bin          Text       `json:"bin"`
	OnHand       Number     `json:"on_hand"`
	Available    Number     `json:"available"`
	Reserved     Number     `json:"reserved"`
	OnOrder      Number     `json:"on_order"`
	MinQuantity  Number     `json:"min_quantity"`
	MaxQuantity  Number     `json:"max_quantity"`
	ReorderPoint Number     `json:"reorder_point"`
	UOM          Text       `json:"uom"`
	CountedAt    Time       `json:"counted_at"`
}

// Lot is a batch, or one serial number, of an item, with what it was made of.
type Lot struct {
	Head
	Kind            LotKind        `json:"kind"`
	KindNative      Text           `json:"kind_native"`
	Item            *Reference     `json:"item" ref:"items"`
	Quantity        Number         `json:"quantity"`
	UOM             Text           `json:"uom"`
	Status          LotStatus      `json:"status"`
	StatusNative    Text           `json:"status_native"`
	MadeAt          Time           `json:"made_at"`
	ExpiresOn       Date           `json:"expires_on"`
	Vendor          *Reference     `json:"vendor" ref:"vendors"`
	VendorLot       Text           `json:"vendor_lot"`
	ProductionOrder *Reference     `json:"production_order" ref:"production_orders"`
	MadeOf          []LotComponent `json:"made_of" doc:"Genealogy: the lots that went into it."`
}

// LotComponent is a lot, or part of one, that went into another.
type LotComponent struct {
	Line
	Lot       *Reference `json:"lot" ref:"lots"`
	Item      *Reference `json:"item" ref:"items"`
	Quantity  Number     `json:"quantity"`
	Operation *Reference `json:"operation" ref:"production_operations"`
	At        Time       `json:"at"`
}

// Vendor is someone whom one buys from. Bank data is deliberately not part of it.
type Vendor struct {
	Head
	Status         VendorStatus   `json:"status"`
	StatusNative   Text           `json:"status_native"`
	Approval       VendorApproval `json:"approval"`
	ApprovalNative Text           `json:"approval_native"`
	TaxID          Text           `json:"tax_id"`
	Currency       Text           `json:"currency"`
	PaymentTerms   *PaymentTerms  `json:"payment_terms"`
	Email          Text           `json:"email"`
	Phone          Text           `json:"phone"`
	Website        Text           `json:"website"`
	Addresses      []Address      `json:"addresses"`
	Contacts       []Contact      `json:"contacts"`
}

// PaymentTerms are when, and how, an invoice is paid.
type PaymentTerms struct {
	Code Text   `json:"code"`
	Name Text   `json:"name"`
	Days Number `json:"days"`
}

// Contact is a person at a vendor.
type Contact struct {
	Line
	Name  Text `json:"name"`
	Role  Text `json:"role"`
	Email Text `json:"email"`
	Phone Text `json:"phone"`
}

// PurchaseOrder is an order to a vendor, with its lines.
type PurchaseOrder struct {
	Head
	Status          PurchaseOrderStatus `json:"status"`
	StatusNative    Text                `json:"status_native"`
	Revision        Text                `json:"revision"`
	Vendor          *Reference          `json:"vendor" ref:"vendors"`
	VendorReference Text                `json:"vendor_reference"`
	OrderedAt       Time                `json:"ordered_at"`
	ConfirmedAt     Time                `json:"confirmed_at"`
	NeededBy        Date                `json:"needed_by"`
	ExpectedAt      Time                `json:"expected_at"`
	Currency        Text                `json:"currency"`
	Subtotal        *Money              `json:"subtotal"`
	Tax             *Money              `json:"tax"`
	Shipping        *Money              `json:"shipping"`
	Total           *Money              `json:"total"`
	ShipTo          *Address            `json:"ship_to"`
	BillTo          *Address            `json:"bill_to"`
	PaymentTerms    *PaymentTerms       `json:"payment_terms"`
	Buyer           *Reference          `json:"buyer" ref:"people"`
	Approver        *Reference          `json:"approver" ref:"people"`
	ApprovedAt      Time                `json:"approved_at"`
	Note            Text                `json:"note"`
	Lines           []PurchaseOrderLine `json:"lines"`
}

// PurchaseOrderLine is one position of a purchase order. A comment is a line of
// kind text: its item and quantity are null.
type PurchaseOrderLine struct {
	Line
	Kind              PurchaseLineKind    `json:"kind"`
	KindNative        Text                `json:"kind_native"`
	Status            PurchaseOrderStatus `json:"status"`
	StatusNative      Text                `json:"status_native"`
	Item              *Reference          `json:"item" ref:"items"`
	Description       Text                `json:"description"`
	SKU               Text                `json:"sku" doc:"The vendor's own number for the item."`
	Quantity          Number              `json:"quantity"`
	ReceivedQuantity  Number              `json:"received_quantity"`
	InvoicedQuantity  Number              `json:"invoiced_quantity"`
	CancelledQuantity Number              `json:"cancelled_quantity"`
	ReturnedQuantity  Number              `json:"returned_quantity"`
	UOM               Text                `json:"uom"`
	UnitPrice         *Money              `json:"unit_price"`
	DiscountPercent   Number              `json:"discount_percent"`
	TaxCode           *Code               `json:"tax_code"`
	TaxAmount         *Money              `json:"tax_amount"`
	Amount            *Money              `json:"amount"`
	NeededBy          Date                `json:"needed_by"`
	PromisedAt        Time                `json:"promised_at"`
	Location          *Reference          `json:"location" ref:"locations"`
	Coding            *Coding             `json:"coding"`
	WorkOrder         *Reference          `json:"work_order" ref:"work_orders"`
	Asset             *Reference          `json:"asset" ref:"assets"`
}

// GoodsReceipt is a delivery that came in on purchase orders, or went back.
type GoodsReceipt struct {
	Head
	Kind          GoodsReceiptKind   `json:"kind"`
	KindNative    Text               `json:"kind_native"`
	PurchaseOrder *Reference         `json:"purchase_order" ref:"purchase_orders" doc:"Null where it is about several."`
	ReceivedAt    Time               `json:"received_at"`
	Person        *Reference         `json:"person" ref:"people"`
	Location      *Reference         `json:"location" ref:"locations"`
	Lines         []GoodsReceiptLine `json:"lines"`
}

// GoodsReceiptLine is one position of a goods receipt.
type GoodsReceiptLine struct {
	Line
	PurchaseOrderLine Text       `json:"purchase_order_line" doc:"The id of the line that it is for."`
	Item              *Reference `json:"item" ref:"items"`
	Quantity          Number     `json:"quantity"`
	UOM               Text       `json:"uom"`
	Lot               *Reference `json:"lot" ref:"lots"`
	Serials           []string   `json:"serials"`
	RejectedQuantity  Number     `json:"rejected_quantity"`
}
