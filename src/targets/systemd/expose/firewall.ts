/**
 * nftables: what comes in from outside is SSH and HTTPS and nothing else. A table of its own, so
 * other people's tables stay; what theirs drop stays dropped.
 */
export function firewall(): string {
  return `#!/usr/sbin/nft -f
# Written by Seawall. Read it before you apply it:
#   systemctl start seawall-firewall     now (an open SSH session goes on)
#   systemctl enable seawall-firewall    at every boot
#   systemctl disable --now seawall-firewall    takes it back
table inet seawall
delete table inet seawall
table inet seawall {
	set busy4 {
		type ipv4_addr
		flags dynamic
		timeout 1m
		size 65535
	}
	set busy6 {
		type ipv6_addr
		flags dynamic
		timeout 1m
		size 65535
	}
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		ct state invalid drop
		iif lo accept
		# What IPv4 and IPv6 can't do without (RFC 4890), slowly.
		icmp type { destination-unreachable, time-exceeded, parameter-problem } accept
		icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
		icmp type echo-request limit rate 5/second accept
		icmpv6 type echo-request limit rate 5/second accept
		# Leases of addresses.
		udp sport 67 udp dport 68 accept
		udp sport 547 udp dport 546 accept
		tcp dport 22 ct state new limit rate 10/second burst 20 packets accept
		# More new connections than this from one address are nobody's browser.
		tcp dport 443 ct state new update @busy4 { ip saddr limit rate over 20/second burst 60 packets } drop
		tcp dport 443 ct state new update @busy6 { ip6 saddr limit rate over 20/second burst 60 packets } drop
		tcp dport 443 ct state new accept
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
	}
}
`;
}
