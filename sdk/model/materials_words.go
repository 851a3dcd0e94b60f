package model

// ItemKind is what an item is used as.
type ItemKind string

// The words of ItemKind.
const (
	ItemKindStock        ItemKind = "stock"
	ItemKindNonStock     ItemKind = "non_stock"
	ItemKindService      ItemKind = "service"
	ItemKindTool         ItemKind = "tool"
	ItemKindProduct      ItemKind = "product"
	ItemKindMaterial     ItemKind = "material"
	ItemKindSemiFinished ItemKind = "semi_finished"
	ItemKindUnknown      ItemKind = "unknown"
)

// Words lists every word that a ItemKind can be.
func (ItemKind) Words() []string {
	return words(ItemKindStock, ItemKindNonStock, ItemKindService, ItemKindTool, ItemKindProduct, ItemKindMaterial, ItemKindSemiFinished, ItemKindUnknown)
}

// MarshalJSON writes null where there is none.
func (w ItemKind) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// LotKind tells a lot of many from a single serial number.
type LotKind string

// The words of LotKind.
const (
	LotKindLot     LotKind = "lot"
	LotKindSerial  LotKind = "serial"
	LotKindUnknown LotKind = "unknown"
)

// Words lists every word that a LotKind can be.
func (LotKind) Words() []string {
	return words(LotKindLot, LotKindSerial, LotKindUnknown)
}

// MarshalJSON writes null where there is none.
func (w LotKind) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// LotStatus is what may be done with a lot.
type LotStatus string

// The words of LotStatus.
const (
	LotStatusAvailable  LotStatus = "available"
	LotStatusQuarantine LotStatus = "quarantine"
	LotStatusRejected   LotStatus = "rejected"
	LotStatusConsumed   LotStatus = "consumed"
	LotStatusShipped    LotStatus = "shipped"
	LotStatusScrapped   LotStatus = "scrapped"
	LotStatusUnknown    LotStatus = "unknown"
)

// Words lists every word that a LotStatus can be.
func (LotStatus) Words() []string {
	return words(LotStatusAvailable, LotStatusQuarantine, LotStatusRejected, LotStatusConsumed, LotStatusShipped, LotStatusScrapped, LotStatusUnknown)
}

// MarshalJSON writes null where there is none.
func (w LotStatus) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// VendorStatus is whether a vendor may be bought from.
type VendorStatus string

// The words of VendorStatus.
const (
	VendorStatusActive   VendorStatus = "active"
	VendorStatusInactive VendorStatus = "inactive"
	VendorStatusBlocked  VendorStatus = "blocked"
	VendorStatusPending  VendorStatus = "pending"
	VendorStatusUnknown  VendorStatus = "unknown"
)

// Words lists every word that a VendorStatus can be.
func (VendorStatus) Words() []string {
	return words(VendorStatusActive, VendorStatusInactive, VendorStatusBlocked, VendorStatusPending, VendorStatusUnknown)
}

// MarshalJSON writes null where there is none.
func (w VendorStatus) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// VendorApproval is how far a vendor's approval has come.
type VendorApproval string

// The words of VendorApproval.
const (
	VendorApprovalDraft    VendorApproval = "draft"
	VendorApprovalReview   VendorApproval = "review"
	VendorApprovalApproved VendorApproval = "approved"
	VendorApprovalRejected VendorApproval = "rejected"
	VendorApprovalUnknown  VendorApproval = "unknown"
)

// Words lists every word that a VendorApproval can be.
func (VendorApproval) Words() []string {
	return words(VendorApprovalDraft, VendorApprovalReview, VendorApprovalApproved, VendorApprovalRejected, VendorApprovalUnknown)
}

// MarshalJSON writes null where there is none.
func (w VendorApproval) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// PurchaseOrderStatus is how far a purchase order, or a line of one, has come.
type PurchaseOrderStatus string

// The words of PurchaseOrderStatus.
const (
	PurchaseOrderStatusDraft             PurchaseOrderStatus = "draft"
	PurchaseOrderStatusPendingApproval   PurchaseOrderStatus = "pending_approval"
	PurchaseOrderStatusApproved          PurchaseOrderStatus = "approved"
	PurchaseOrderStatusSent              PurchaseOrderStatus = "sent"
	PurchaseOrderStatusPartiallyReceived PurchaseOrderStatus = "partially_received"
	PurchaseOrderStatusReceived          PurchaseOrderStatus = "received"
	PurchaseOrderStatusClosed            PurchaseOrderStatus = "closed"
	PurchaseOrderStatusCancelled         PurchaseOrderStatus = "cancelled"
	PurchaseOrderStatusUnknown           PurchaseOrderStatus = "unknown"
)

// Words lists every word that a PurchaseOrderStatus can be.
func (PurchaseOrderStatus) Words() []string {
	return words(PurchaseOrderStatusDraft, PurchaseOrderStatusPendingApproval, PurchaseOrderStatusApproved, PurchaseOrderStatusSent, PurchaseOrderStatusPartiallyReceived, PurchaseOrderStatusReceived, PurchaseOrderStatusClosed, PurchaseOrderStatusCancelled, PurchaseOrderStatusUnknown)
}

// MarshalJSON writes null where there is none.
func (w PurchaseOrderStatus) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// PurchaseLineKind is what a line of a purchase order stands for.
type PurchaseLineKind string

// The words of PurchaseLineKind.
const (
	PurchaseLineKindItem    PurchaseLineKind = "item"
	PurchaseLineKindService PurchaseLineKind = "service"
	PurchaseLineKindCharge  PurchaseLineKind = "charge"
	PurchaseLineKindText    PurchaseLineKind = "text"
	PurchaseLineKindUnknown PurchaseLineKind = "unknown"
)

// Words lists every word that a PurchaseLineKind can be.
func (PurchaseLineKind) Words() []string {
	return words(PurchaseLineKindItem, PurchaseLineKindService, PurchaseLineKindCharge, PurchaseLineKindText, PurchaseLineKindUnknown)
}

// MarshalJSON writes null where there is none.
func (w PurchaseLineKind) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }

// GoodsReceiptKind is which way the goods went.
type GoodsReceiptKind string

// The words of GoodsReceiptKind.
const (
	GoodsReceiptKindReceipt GoodsReceiptKind = "receipt"
	GoodsReceiptKindReturn  GoodsReceiptKind = "return"
	GoodsReceiptKindUnknown GoodsReceiptKind = "unknown"
)

// Words lists every word that a GoodsReceiptKind can be.
func (GoodsReceiptKind) Words() []string {
	return words(GoodsReceiptKindReceipt, GoodsReceiptKindReturn, GoodsReceiptKindUnknown)
}

// MarshalJSON writes null where there is none.
func (w GoodsReceiptKind) MarshalJSON() ([]byte, error) { return quoted(string(w)), nil }
