// Package soap is Exchange's telephone operations over HTTP: the Unified Messaging web
// service ([MS-OXWUMS], UM2007Legacy.asmx) and the EWS operations of Exchange 2010.
package soap
