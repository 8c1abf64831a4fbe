/*
 * The bot's network: loopback, on which every address of the world is local, and listeners made
 * here that somebody outside will accept on.
 */
#define _GNU_SOURCE
#include "launch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool have_ipv6 = true;

/* The loopback interface is the first of every network namespace (net/core/dev.c). */
#define LOOPBACK_INDEX 1

struct request {
  struct nlmsghdr header;
  union {
    struct ifinfomsg link;
    struct rtmsg route;
  } body;
  char attributes[64];
};

static void ask_link_up(struct request *q) {
  memset(q, 0, sizeof *q);
  q->header.nlmsg_len = NLMSG_LENGTH(sizeof q->body.link);
  q->header.nlmsg_type = RTM_NEWLINK;
  q->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  q->body.link.ifi_family = AF_UNSPEC;
  q->body.link.ifi_index = LOOPBACK_INDEX;
  q->body.link.ifi_flags = IFF_UP;
  q->body.link.ifi_change = IFF_UP;
}

/* As `ip route add local 0.0.0.0/0 dev lo`, and `ip -6 route add local ::/0 dev lo`. */
static void ask_local_route(struct request *q, unsigned char family) {
  memset(q, 0, sizeof *q);
  q->header.nlmsg_len = NLMSG_LENGTH(sizeof q->body.route);
  q->header.nlmsg_type = RTM_NEWROUTE;
  q->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
  q->body.route.rtm_family = family;
  q->body.route.rtm_table = RT_TABLE_LOCAL;
  q->body.route.rtm_protocol = RTPROT_BOOT;
  q->body.route.rtm_scope = family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  q->body.route.rtm_type = RTN_LOCAL;
  struct rtattr *out = (struct rtattr *)((char *)q + NLMSG_ALIGN(q->header.nlmsg_len));
  uint32_t index = LOOPBACK_INDEX;
  out->rta_type = RTA_OIF;
  out->rta_len = RTA_LENGTH(sizeof index);
  memcpy(RTA_DATA(out), &index, sizeof index);
  q->header.nlmsg_len = NLMSG_ALIGN(q->header.nlmsg_len) + RTA_ALIGN(out->rta_len);
}

/* Sends one request and returns the kernel's verdict as an errno. */
static int ask(int netlink, const struct request *q) {
  if (send(netlink, q, q->header.nlmsg_len, 0) < 0) return errno;
  union {
    struct nlmsghdr header;
    char bytes[4096];
  } reply;
  ssize_t got = recv(netlink, &reply, sizeof reply, 0);
  if (got < 0) return errno;
  const struct nlmsgerr *verdict = NLMSG_DATA(&reply.header);
  if (got < (ssize_t)NLMSG_LENGTH(sizeof *verdict) || reply.header.nlmsg_type != NLMSG_ERROR)
    return EPROTO;
  return -verdict->error;
}

int loopback_everything(const char **step) {
  struct request q;
  *step = "netlink socket";
  int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (netlink < 0) return errno;
  *step = "bringing lo up";
  ask_link_up(&q);
  int error = ask(netlink, &q);
  if (error == 0) {
    *step = "route to every IPv4 address";
    ask_local_route(&q, AF_INET);
    error = ask(netlink, &q);
  }
  if (error == 0) {
    *step = "route to every IPv6 address";
    ask_local_route(&q, AF_INET6);
    error = ask(netlink, &q);
    /*
     * No IPv6 in this kernel (EAFNOSUPPORT, EOPNOTSUPP) or switched off for lo (EACCES): then there
     * is no way out through it either, and the supervisor is told in `ready`.
     */
    if (error == EAFNOSUPPORT || error == EOPNOTSUPP || error == EACCES) {
      have_ipv6 = false;
      error = 0;
    }
  }
  close(netlink);
  return error;
}

void make_listener(uint32_t protocol, uint32_t family, uint32_t port, bool local) {
  char what[64], line[192];
  bool tcp = protocol == IPPROTO_TCP;
  if ((!tcp && protocol != IPPROTO_UDP) || (family != 4 && family != 6) || port == 0 || port > 65535)
    refuse("listen", "neither tcp nor udp, 4 nor 6, or no port", 0);
  if (family == 6 && !have_ipv6) return;
  snprintf(what, sizeof what, "%s port %u over IPv%u", tcp ? "tcp" : "udp", port, family);
  int fd = socket(family == 4 ? AF_INET : AF_INET6, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
  if (fd < 0 && family == 6 && errno == EAFNOSUPPORT) {
    have_ipv6 = false;
    return;
  }
  if (fd < 0) refuse("listen", what, errno);
  int failed;
  if (family == 4) {
    struct sockaddr_in any = {.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr = {htonl(local ? INADDR_LOOPBACK : INADDR_ANY)}};
    failed = bind(fd, (struct sockaddr *)&any, sizeof any);
  } else {
    /* One socket per family: what arrives over IPv4 must not look like `::ffff:` of something. */
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    int only = 1;
    if (local) any.sin6_addr = in6addr_loopback;
    failed = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
    if (failed == 0) failed = bind(fd, (struct sockaddr *)&any, sizeof any);
  }
  /* Listening from now on: what comes while no broker runs waits in the queue. */
  if (failed == 0 && tcp) failed = listen(fd, 511);
  if (failed < 0) refuse("listen", what, errno);
  snprintf(line, sizeof line,
           "{\"cmd\":\"NODE_HANDLE\",\"type\":\"%s.Native\",\"msg\":{\"type\":\"listener\","
           "\"protocol\":\"%s\",\"port\":%u,\"family\":%u}}",
           tcp ? "net" : "dgram", tcp ? "tcp" : "udp", port, family);
  channel_send(line, fd);
}

/*
 * Nobody listens yet: whoever takes it over does, so that SO_PEERCRED says of it that its owner is
 * outside (listen(2) notes who calls it; net/unix/af_unix.c), and until then connecting fails at once.
 */
void make_socket(const char *folder, const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", folder, name);
  if (length < 0 || (size_t)length >= sizeof address.sun_path || strchr(name, '/'))
    refuse("socket", "its path is too long, or its name none", 0);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) refuse("socket", address.sun_path, errno);
  int error = forbid_writing(folder);
  if (error) refuse("socket", folder, error);
  channel_send("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":{\"type\":\"listener\",\"protocol\":\"unix\"}}", fd);
}
