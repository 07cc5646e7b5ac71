package soap

import (
	"embed"
	"encoding/xml"
	"html/template"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed wsdl
var wsdl embed.FS

// schemas are the contract files that each WSDL is made of. A WSDL that is served has them
// inside, so that one file is enough for any tool.
var schemas = map[string][]string{
	"Services.wsdl":     {"types.xsd", "messages.xsd"},
	"UM2007Legacy.wsdl": {"UM2007Legacy.xsd"},
}

// wholeWSDL gives a WSDL with its schemas inside, as what stands before its address and
// after it. Nobody has to log in for it, so that a request must not cost a copy.
var wholeWSDL = map[string]func() (before, after []byte){
	"Services.wsdl":     sync.OnceValues(func() (before, after []byte) { return assemble("Services.wsdl") }),
	"UM2007Legacy.wsdl": sync.OnceValues(func() (before, after []byte) { return assemble("UM2007Legacy.wsdl") }),
}

func contract(name string) string {
	text, err := wsdl.ReadFile("wsdl/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(text)
}

func assemble(name string) (before, after []byte) {
	var inside strings.Builder
	inside.WriteString("<wsdl:types>\n")
	for _, schema := range schemas[name] {
		_, text, _ := strings.Cut(contract(schema), "?>\n")
		inside.WriteString(strings.ReplaceAll(text, ` schemaLocation="types.xsd"`, ""))
	}
	whole := contract(name)
	begin, end := strings.Index(whole, "<wsdl:types>"), strings.Index(whole, "</wsdl:types>")
	whole = whole[:begin] + inside.String() + "  " + whole[end:]
	begin = strings.Index(whole, `<soap:address location="`) + len(`<soap:address location="`)
	end = begin + strings.IndexByte(whole[begin:], '"')
	return []byte(whole[:begin]), []byte(whole[end:])
}

// get answers with what may be seen without authentication.
func (h *Handler) get(w http.ResponseWriter, r *http.Request, where string, service service) {
	switch service {
	case contractFile:
		h.contractFile(w, r, path.Base(where))
	case autodiscoverPOX:
		// Clients look here, without credentials, for whether there is SOAP as well.
		w.Header().Set("X-SOAP-Enabled", "True")
		w.Header()["Content-Type"] = typeSOAP11
		var answer writer
		answer.pox(func() { poxInvalid.write(&answer) })
		w.Write(answer.out)
	case autodiscoverSOAP:
		h.page(w, r, where, service)
	default:
		h.getEndpoint(w, r, where, service)
	}
}

// getEndpoint answers ?wsdl and ?xsd in any case and form, and anything else with the page.
func (h *Handler) getEndpoint(w http.ResponseWriter, r *http.Request, where string, service service) {
	name := "Services.wsdl"
	if service == unifiedMessaging {
		name = "UM2007Legacy.wsdl"
	}
	for key, values := range r.URL.Query() {
		switch strings.ToLower(key) {
		case "wsdl", "singlewsdl":
			h.writeWSDL(w, r, name, where)
			return
		case "xsd":
			h.contractFile(w, r, schemaNamed(values[0], name))
			return
		}
	}
	h.page(w, r, where, service)
}

// schemaNamed is the schema of a WSDL that ?xsd=which asks for; the last, which has the
// operations, unless another is named.
func schemaNamed(which, wsdl string) string {
	files := schemas[wsdl]
	for _, file := range files {
		if strings.EqualFold(which, file) || strings.EqualFold(which+".xsd", file) {
			return file
		}
	}
	return files[len(files)-1]
}

func (h *Handler) contractFile(w http.ResponseWriter, r *http.Request, name string) {
	switch name {
	case "Services.wsdl":
		h.writeWSDL(w, r, name, "/EWS/Exchange.asmx")
	case "UM2007Legacy.wsdl":
		h.writeWSDL(w, r, name, "/EWS/UM2007Legacy.asmx")
	default:
		w.Header()["Content-Type"] = typeSOAP11
		w.Write(schemaFiles()[name])
	}
}

// schemaFiles are the schemas that are served as files of their own.
var schemaFiles = sync.OnceValue(func() map[string][]byte {
	files := map[string][]byte{}
	for _, names := range schemas {
		for _, name := range names {
			files[name] = []byte(contract(name))
		}
	}
	return files
})

func (h *Handler) writeWSDL(w http.ResponseWriter, r *http.Request, name, where string) {
	w.Header()["Content-Type"] = typeSOAP11
	before, after := wholeWSDL[name]()
	w.Write(before)
	_ = xml.EscapeText(w, []byte(h.baseURL(r)+where)) // an error is the connection's
	w.Write(after)
}

// page answers a human who opens an endpoint in a browser.
func (h *Handler) page(w http.ResponseWriter, r *http.Request, where string, service service) {
	v := pageValues{URL: h.baseURL(r) + where}
	switch service {
	case unifiedMessaging:
		v.Title = "Exchange Unified Messaging web service"
		v.Text = "Programs send SOAP requests here to play voice messages over the telephone, as they did to Exchange 2007."
		v.Body = `<GetUMProperties xmlns="` + nsMessages + `" />`
		v.HasWSDL = true
	case exchange:
		v.Title = "Exchange Web Services: telephone operations"
		v.Text = "Programs send SOAP requests here to play voice messages over the telephone, as they did to Exchange 2010 and later."
		v.Body = `<GetServiceConfiguration xmlns="` + nsMessages + `"><RequestedConfiguration><ConfigurationName>UnifiedMessagingConfiguration</ConfigurationName></RequestedConfiguration></GetServiceConfiguration>`
		v.HasWSDL = true
	default:
		v.Title = "Autodiscover"
		v.Text = "Programs send SOAP requests here to find the addresses of the telephone services from an e-mail address."
		v.Body = `<GetUserSettingsRequestMessage xmlns="` + nsDiscover + `"><Request><Users><User><Mailbox>user@example.com</Mailbox></User></Users><RequestedSettings><Setting>ExternalUMUrl</Setting></RequestedSettings></Request></GetUserSettingsRequestMessage>`
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_ = pageTemplate.Execute(w, v) // an error is the connection's
}

type pageValues struct {
	Title, Text, URL, Body string
	HasWSDL                bool
}

var pageTemplate = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{.Title}}</title>
<style>body{font-family:sans-serif;max-width:50em;margin:2em auto;padding:0 1em}pre{background:#eee;padding:1em;white-space:pre-wrap;overflow-wrap:anywhere}</style>
</head>
<body>
<h1>{{.Title}}</h1>
<p>{{.Text}} There is nothing here to look at in a browser.</p>
{{- if .HasWSDL}}
<p>The contract: <a href="?wsdl">WSDL with its schemas</a>.</p>
{{- end}}
<p>To try it, with your own name and password:</p>
<pre>curl -u USER --header 'Content-Type: text/xml; charset=utf-8' --data-binary '&lt;soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"&gt;&lt;soap:Body&gt;{{.Body}}&lt;/soap:Body&gt;&lt;/soap:Envelope&gt;' {{.URL}}</pre>
</body>
</html>
`))
