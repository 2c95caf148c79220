package templates

// AppPasted asks for a secret that somebody came across, to lead to where it is ended. The field comes back empty.
type AppPasted struct {
	Frame      Frame
	Action     string
	CancelHref string
	Errors     FieldErrors
}
