/** What is put into /etc/fail2ban, by the path below it. */
export interface Fail2banFiles {
  readonly jail: string;
  readonly filter: string;
}

/**
 * Bans for those who try keys: at SSH, each longer than the one before, and at the gateways.
 *
 * @param log Caddy's access log
 */
export function fail2ban(log: string): Fail2banFiles {
  return {
    jail: `# Written by Seawall. Read it before you apply it:
#   ln -s /etc/seawall/current/expose/fail2ban/jail.conf /etc/fail2ban/jail.d/seawall.conf
#   ln -s /etc/seawall/current/expose/fail2ban/filter.conf /etc/fail2ban/filter.d/seawall-gateway.conf
#   systemctl restart fail2ban
[DEFAULT]
bantime.increment = true
bantime.factor = 2
bantime.maxtime = 4w
banaction = nftables-multiport

[sshd]
enabled = true
backend = systemd
maxretry = 5
findtime = 10m
bantime = 10m

[seawall-gateway]
enabled = true
filter = seawall-gateway
backend = auto
logpath = ${log}
port = https
maxretry = 5
findtime = 10m
bantime = 10m
`,
    // Everything a visitor chose stands in JSON strings, where a quote has a backslash before it: no
    // visitor can write another's address or a status (tested).
    filter: `# Written by Seawall: tokens that a bot's ingress refused, as Caddy's access log has them.
[Definition]
failregex = ^\\{"level":"[a-z]+",.*?"logger":"http\\.log\\.access[^"]*","msg":"handled request","request":\\{"remote_ip":"<HOST>",.*"Authorization":\\[.*"status":401,"resp_headers"
ignoreregex =
datepattern = "ts":{EPOCH}
`,
  };
}
