package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/mdns"
	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/pelletier/go-toml/v2"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"hookswitch/hal"
)

// settings are /perm/network.toml. The zero value is what a board without one does:
// DHCP on the first Ethernet interface, under a name of its own.
type settings struct {
	Hostname  string   `toml:"hostname"`
	Interface string   `toml:"interface"`
	Address   string   `toml:"address"` // such as 192.168.1.5/24; "" or "dhcp" is DHCP
	Gateway   string   `toml:"gateway"`
	DNS       []string `toml:"dns"`
	NTP       []string `toml:"ntp"`
}

const (
	networkFile = "/perm/network.toml"
	resolvConf  = "/run/resolv.conf"
)

var defaultNTP = []string{"0.pool.ntp.org", "1.pool.ntp.org", "2.pool.ntp.org"}

// readSettings never fails: a board with a typing error in its settings must still be
// reachable, by DHCP.
func readSettings(path string) (settings, error) {
	var s settings
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		d := toml.NewDecoder(strings.NewReader(string(b))).DisallowUnknownFields()
		err = d.Decode(&s)
	}
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return settings{}, fmt.Errorf("%s: %w: DHCP is used instead", path, err)
	}
	return s, nil
}

func (s settings) check() error {
	if s.Address == "" || s.Address == "dhcp" {
		return nil
	}
	_, subnet, err := net.ParseCIDR(s.Address)
	if err != nil {
		return err
	}
	if s.Gateway != "" && !subnet.Contains(net.ParseIP(s.Gateway)) {
		return fmt.Errorf("gateway %q is not in %s", s.Gateway, subnet)
	}
	for _, d := range s.DNS {
		if net.ParseIP(d) == nil {
			return fmt.Errorf("dns: %q is not an address", d)
		}
	}
	return nil
}

// runNetwork brings the network up and keeps it so until ctx ends. A board with no
// network at all waits here for ever and does nothing else worse.
func runNetwork(ctx context.Context) {
	if lo, err := netlink.LinkByName("lo"); err == nil {
		_ = netlink.LinkSetUp(lo)
	}
	s, err := readSettings(networkFile)
	if err != nil {
		fault("%v", err)
	}
	link := waitLink(ctx, s.Interface)
	if link == nil {
		return
	}
	n := &network{link: link, name: hostname(s.Hostname, link.Attrs().HardwareAddr)}
	setName(n.name)
	if err := netlink.LinkSetUp(link); err != nil {
		fault("network: %s: %v", link.Attrs().Name, err)
	}
	defer n.close()
	if s.Address != "" && s.Address != "dhcp" {
		if err := n.static(s); err != nil {
			fault("network: %v", err)
		}
		keepTime(ctx, append(s.NTP, defaultNTP...))
		return
	}
	n.dhcp(ctx, s)
}

// waitLink waits for the interface of that name, or the first that is an Ethernet.
func waitLink(ctx context.Context, name string) netlink.Link {
	for {
		links, _ := netlink.LinkList()
		for _, l := range links {
			a := l.Attrs()
			wired := a.EncapType == "ether" && l.Type() == "device" && !strings.HasPrefix(a.Name, "wlan")
			if a.Name == name || name == "" && wired {
				return l
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// nameBoard gives the board its name before anything asks for it, as far as it is known
// without an Ethernet adapter: on a Pi all of it is.
func nameBoard() {
	s, _ := readSettings(networkFile) // runNetwork says what is wrong
	setName(hostname(s.Hostname, nil))
}

func setName(name string) {
	if err := unix.Sethostname([]byte(name)); err != nil {
		log.Printf("host name: %v", err)
	}
}

// hostname is the given one, or one that two boards on a LAN do not share.
func hostname(given string, mac net.HardwareAddr) string {
	if given != "" {
		return given
	}
	serial, _ := os.ReadFile("/sys/firmware/devicetree/base/serial-number")
	id := strings.Trim(string(serial), "\x00\n")
	if len(id) < 4 && len(mac) == 6 {
		id = fmt.Sprintf("%x", []byte(mac))
	}
	if len(id) < 4 {
		return "hookswitch"
	}
	return "hookswitch-" + id[len(id)-4:]
}

// network is the one interface in use.
type network struct {
	link netlink.Link
	name string
	addr *net.IPNet
	mdns *mdns.Server
}

func (n *network) close() {
	if n.mdns != nil {
		_ = n.mdns.Shutdown()
	}
}

func (n *network) static(s settings) error {
	ip, subnet, err := net.ParseCIDR(s.Address)
	if err != nil {
		return err
	}
	return n.use(&net.IPNet{IP: ip, Mask: subnet.Mask}, net.ParseIP(s.Gateway), s.DNS)
}

// use makes addr the interface's only IPv4 address and announces it.
func (n *network) use(addr *net.IPNet, gateway net.IP, dns []string) error {
	var text strings.Builder
	for _, d := range dns {
		fmt.Fprintf(&text, "nameserver %s\n", d)
	}
	if err := os.WriteFile(resolvConf, []byte(text.String()), 0o644); err != nil {
		return err
	}
	if n.addr != nil && n.addr.String() == addr.String() {
		return nil
	}
	n.drop()
	if err := netlink.AddrReplace(n.link, &netlink.Addr{IPNet: addr}); err != nil {
		return fmt.Errorf("address %v: %w", addr, err)
	}
	n.addr = addr
	log.Printf("%s is %v on %s", n.name, addr, n.link.Attrs().Name)
	if gateway != nil {
		route := &netlink.Route{LinkIndex: n.link.Attrs().Index, Gw: gateway}
		if err := netlink.RouteReplace(route); err != nil {
			return fmt.Errorf("gateway %v: %w", gateway, err)
		}
	}
	n.announce()
	return nil
}

// drop gives the address up.
func (n *network) drop() {
	if n.addr != nil {
		_ = netlink.AddrDel(n.link, &netlink.Addr{IPNet: n.addr})
		n.addr = nil
	}
}

// announce answers multicast DNS questions for NAME.local (RFC 6762).
func (n *network) announce() {
	n.close()
	quiet := log.New(io.Discard, "", 0)
	zone, err := mdns.NewMDNSService(n.name, "_workstation._tcp", "", n.name+".local.", 9, []net.IP{n.addr.IP}, nil)
	if err == nil {
		iface, _ := net.InterfaceByIndex(n.link.Attrs().Index)
		n.mdns, err = mdns.NewServer(&mdns.Config{Zone: zone, Iface: iface, Logger: quiet})
	}
	if err != nil {
		log.Printf("%s.local: %v", n.name, err)
	}
}

// dhcp holds a lease until ctx ends (RFC 2131), and keeps the time from the first on.
func (n *network) dhcp(ctx context.Context, s settings) {
	var clock sync.WaitGroup
	defer clock.Wait()
	var once sync.Once
	for ctx.Err() == nil {
		lease, err := n.request(ctx)
		if err != nil {
			n.drop()
			_ = hal.Sleep(ctx, 5*time.Second)
			continue
		}
		ack := lease.ACK
		dns := s.DNS
		for _, d := range ack.DNS() {
			dns = append(dns, d.String())
		}
		var gateway net.IP
		if r := ack.Router(); len(r) > 0 {
			gateway = r[0]
		}
		mask := ack.SubnetMask()
		if mask == nil {
			mask = ack.YourIPAddr.DefaultMask()
		}
		if err := n.use(&net.IPNet{IP: ack.YourIPAddr, Mask: mask}, gateway, dns); err != nil {
			fault("network: %v", err)
		}
		once.Do(func() {
			servers := s.NTP
			for _, ip := range ack.NTPServers() {
				servers = append(servers, ip.String())
			}
			clock.Go(func() { keepTime(ctx, append(servers, defaultNTP...)) })
		})
		n.hold(ctx, ack.IPAddressLeaseTime(time.Hour)/2)
	}
}

// request asks for a lease, the address that we have if we have one.
func (n *network) request(ctx context.Context) (*nclient4.Lease, error) {
	client, err := nclient4.New(n.link.Attrs().Name, nclient4.WithTimeout(2*time.Second), nclient4.WithRetry(4))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	modifiers := []dhcpv4.Modifier{
		dhcpv4.WithOption(dhcpv4.OptHostName(n.name)),
		dhcpv4.WithRequestedOptions(dhcpv4.OptionNTPServers),
	}
	if n.addr != nil {
		modifiers = append(modifiers, dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(n.addr.IP)))
	}
	return client.Request(ctx, modifiers...)
}

// hold returns when the lease is half over, or the cable has been out: it may be in
// another network now.
func (n *network) hold(ctx context.Context, half time.Duration) {
	carrier := filepath.Join("/sys/class/net", n.link.Attrs().Name, "carrier")
	out := false
	for end := time.Now().Add(max(half, 30*time.Second)); time.Now().Before(end) && ctx.Err() == nil; {
		b, err := os.ReadFile(carrier)
		in := err == nil && strings.TrimSpace(string(b)) == "1"
		if in && out {
			return
		}
		out = !in
		_ = hal.Sleep(ctx, 3*time.Second)
	}
}
