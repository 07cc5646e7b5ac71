// Package soap is Exchange's telephone operations over HTTP: the Unified Messaging web
// service ([MS-OXWUMS], UM2007Legacy.asmx), the EWS operations of Exchange 2010, and the
// Autodiscover that leads clients to both.
//
// A Handler takes a request through these steps, and refuses it at the first that fails:
//
//	HTTP      path, method, origin, content type; at most MaxBody bytes within readTime
//	XML       well-formed, within limits, namespaces declared (internal/xmlpull)
//	envelope  SOAP 1.1 or 1.2; header elements that must be understood are
//	operation by the name of Body's first child; its children as the schema has them
//	backend   Phone and Mailbox: what the operation asks for
//
// The backend is called only when the whole document has been read and found good. What it
// refuses becomes a fault (UM) or a ResponseClass of Error (EWS) by one table, in error.go.
package soap
