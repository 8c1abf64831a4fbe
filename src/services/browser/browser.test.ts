import assert from "node:assert/strict";
import dgram from "node:dgram";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { PageReply, RefusedRequest, RenderedPage } from "./messages.ts";
import { lackingBrowser, probeSubject, TestBrowser } from "./testing/TestBrowser.ts";
import { TestSite } from "./testing/TestSite.ts";

const host = await probeSubject();
const MEGABYTE = 1024 * 1024;

describe("a page in the browser", { skip: lackingBrowser(host) }, () => {
  let browser: TestBrowser;
  /** What the grant has, and what it must not lead to. */
  let site: TestSite;
  let secret: TestSite;
  const names = new Map<string, () => readonly string[]>();

  before(async () => {
    site = await TestSite.start("127.0.0.1");
    secret = await TestSite.start("127.0.0.2");
    secret.html("/", "<p>the secret of the neighbour</p>");
    names.set("site.test", () => ["127.0.0.1"]);
    names.set("secret.test", () => ["127.0.0.2"]);
    const rules = {
      hosts: [`*:${site.port}`, `*:${secret.port}`, "*"],
      networks: ["127.0.0.1/32"],
      bytes: 4 * MEGABYTE,
    };
    browser = await TestBrowser.start(
      host,
      [
        { bot: "reader", rules: { ...rules, seconds: 20 } },
        { bot: "hasty", rules: { ...rules, seconds: 3 } },
        { bot: "narrow", rules: { ...rules, hosts: [`site.test:${site.port}`], seconds: 20 } },
      ],
      (name) => {
        const found = names.get(name)?.();
        if (found !== undefined)
          return Promise.resolve(found.map((address) => ({ address, family: 4 })));
        return Promise.reject(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }));
      },
    );
  });
  after(async () => {
    await browser.stop();
    await Promise.all([site.stop(), secret.stop()]);
  });

  const url = (path: string, name = "site.test"): string => `http://${name}:${site.port}${path}`;
  const secretUrl = (name = "secret.test"): string => `http://${name}:${secret.port}/`;
  const open = (path: string, bot = "reader"): Promise<PageReply> =>
    browser.open(bot, { url: url(path), wait: "load" });

  test("what scripts made is read as Markdown, with title, links and language", async () => {
    site.html(
      "/made",
      `<html lang="en"><body><nav><a href="/nav">elsewhere</a></nav><main id="m"></main><script>
        document.title = "Made " + (40 + 2);
        document.getElementById("m").innerHTML = "<article><h1>Tides</h1>" +
          "<p>The <b>spring tide</b> follows the moon, see <a href='/moon?x=1'>here</a>.</p>".repeat(9) + "</article>";
      </script>`,
    );
    const reply = done(await browser.open("reader", { url: url("/made"), links: true }));
    assert.equal(reply.page.title, "Made 42");
    assert.equal(reply.page.status, 200);
    assert.equal(reply.page.complete, true);
    assert.match(reply.page.markdown, /^## Tides\n\nThe \*\*spring tide\*\* follows the moon/);
    assert.ok(reply.page.markdown.includes(`[here](${url("/moon?x=1")})`));
    assert.deepEqual(
      reply.page.links?.map((link) => link.url),
      [url("/nav"), url("/moon?x=1")],
    );
    assert.deepEqual(
      reply.refused.filter(({ url }) => !url.endsWith("/favicon.ico")),
      [],
    );
  });

  test("a page without an article is read whole, and cut where the agent said so", async () => {
    site.html("/short", "<p>one</p><script>var x</script><p>two</p>");
    assert.equal(done(await open("/short")).page.markdown, "one\n\ntwo");
    const cut = await browser.open("reader", {
      url: url("/short"),
      wait: "load",
      mostCharacters: 4,
    });
    assert.equal(done(cut).page.markdown, "one\n");
    assert.equal(done(cut).page.cut, true);
  });

  test("a screenshot is a PNG of the size that was asked for", async () => {
    site.html("/picture", "<body style='background: #0a0'>");
    const asked = { operation: "screenshot", wait: "load", width: 320, height: 200 } as const;
    const { page } = done(await browser.open("reader", { url: url("/picture"), ...asked }));
    const png = Buffer.from(page.screenshot ?? "", "base64");
    assert.equal(png.subarray(1, 4).toString(), "PNG");
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [320, 200]);
  });

  test("addresses that are no web page's are refused", async () => {
    for (const [address, code] of [
      ["file:///etc/passwd", "scheme"],
      ["data:text/html,<p>hi", "scheme"],
      ["javascript:alert(1)", "scheme"],
      ["chrome://version", "scheme"],
      ["about:blank", "scheme"],
      ["view-source:http://site.test/", "scheme"],
      ["blob:http://site.test/1", "scheme"],
      ["ftp://site.test/", "scheme"],
      ["site.test", "bad-url"],
      ["", "bad-url"],
      ["http://user:password@site.test/", "url-credentials"],
      ["http://site.test:22/", "port-not-granted"],
    ])
      assert.equal(failure(await browser.open("reader", { url: address ?? "" })), code, address);
  });

  test("private, local and metadata addresses are refused however they are written", async () => {
    for (const address of [
      `http://127.0.0.2:${secret.port}/`,
      `http://127.2:${secret.port}/`,
      `http://0x7f000002:${secret.port}/`,
      `http://2130706434:${secret.port}/`,
      `http://0177.0.0.02:${secret.port}/`,
      `http://[::1]:${secret.port}/`,
      `http://[::ffff:127.0.0.2]:${secret.port}/`,
      `http://１２７.0.0.2:${secret.port}/`,
      secretUrl(),
      "http://169.254.169.254/latest/meta-data/",
      "http://[fd00:ec2::254]/",
      "http://10.0.0.1/",
      "http://0.0.0.0/",
    ])
      assert.equal(
        failure(await browser.open("reader", { url: address })),
        "address-refused",
        address,
      );
    assert.equal(secret.seen.length, 0);
    const control = await fetch(`http://127.0.0.2:${secret.port}/`);
    assert.match(await control.text(), /neighbour/);
    secret.seen.length = 0;
  });

  test("a redirect to what is refused is refused, by the server and by script", async () => {
    for (const to of ["http://169.254.169.254/latest/meta-data/iam/", secretUrl()]) {
      site.pages.set("/away", (_request, response) => {
        response.writeHead(302, { location: to }).end();
      });
      assert.equal(failure(await open("/away")), "address-refused", to);
    }
    site.html("/script", `<script>location.replace(${JSON.stringify(secretUrl())})</script>`);
    const led = await browser.open("reader", { url: url("/script"), wait: "idle" });
    assert.doesNotMatch(JSON.stringify(led), /neighbour/);
    site.pages.set("/file", (_request, response) => {
      response.writeHead(302, { location: "file:///etc/passwd" }).end();
    });
    assert.notEqual((await open("/file")).end, "done");
    assert.equal(secret.seen.length, 0);
  });

  test("a name that means another address a moment later gains nothing", async () => {
    let asked = 0;
    // The gate asks before it has a browser, and then once for each connection.
    names.set("rebind.test", () => (asked++ < 2 ? ["127.0.0.1"] : ["127.0.0.2"]));
    site.html(
      "/rebind",
      `<div id="d">no</div><script>
        fetch("http://rebind.test:${secret.port}/").then((r) => r.text()).then((t) => { d.textContent = t });
      </script>`,
      { connection: "close", "access-control-allow-origin": "*" },
    );
    const reply = done(
      await browser.open("reader", { url: url("/rebind", "rebind.test"), wait: "idle" }),
    );
    assert.ok(asked >= 3);
    assert.ok(codes(reply).includes("address-refused"));
    assert.doesNotMatch(reply.page.markdown, /neighbour/);
    // Of several addresses only those are dialled that may be.
    names.set("both.test", () => ["127.0.0.2", "127.0.0.1"]);
    site.html("/both", "<p>of the site</p>");
    const both = done(await browser.open("reader", { url: url("/both", "both.test") }));
    assert.match(both.page.markdown, /of the site/);
    assert.equal(secret.seen.length, 0);
  });

  test("frames, pictures, styles and scripts of refused hosts aren't asked for", async () => {
    const to = secretUrl();
    site.html(
      "/frames",
      `<iframe src="${to}"></iframe><img src="${to}a.png"><link rel="stylesheet" href="${to}b.css">
       <script src="${to}c.js"></script><object data="${to}d"></object><video src="${to}e"></video>
       <iframe src="file:///etc/passwd"></iframe><iframe srcdoc="<img src=${to}f>"></iframe>
       <link rel="prefetch" href="${to}g"><link rel="preconnect" href="${to}"><p>rest</p>`,
    );
    const reply = done(await browser.open("reader", { url: url("/frames"), wait: "idle" }));
    assert.match(reply.page.markdown, /rest/);
    assert.doesNotMatch(reply.page.markdown, /neighbour|root:/);
    assert.ok(codes(reply).filter((code) => code === "address-refused").length >= 6);
    assert.equal(secret.seen.length, 0);
  });

  test("a grant's hosts hold for everything that a page loads", async () => {
    names.set("other.test", () => ["127.0.0.1"]);
    site.pages.set("/pixel.js", (_request, response) => void response.end("document.title = 1"));
    site.html("/narrow", `<script src="${url("/pixel.js", "other.test")}"></script><p>text</p>`);
    const narrow = done(await open("/narrow", "narrow"));
    assert.deepEqual(codes(narrow), ["host-not-granted"]);
    assert.equal(site.asked("/pixel.js"), 0);
    assert.equal(
      failure(await browser.open("narrow", { url: url("/narrow", "other.test") })),
      "host-not-granted",
    );
    // The control: another bot's grant has that host.
    done(await open("/narrow"));
    assert.equal(site.asked("/pixel.js"), 1);
  });

  test("nothing is posted: forms, fetch, beacons, other methods, bodies", async () => {
    site.html(
      "/posts",
      `<form id="f" method="post" action="/posted-form" target="x"><input name="a" value="b"></form>
       <iframe name="x"></iframe><script>
        f.submit();
        fetch("/posted-fetch", { method: "POST", body: "b" }).catch(() => {});
        fetch("/put", { method: "PUT", body: "b" }).catch(() => {});
        fetch("/delete", { method: "DELETE" }).catch(() => {});
        fetch("${url("/preflight", "other.test")}", { headers: { "x-own": "1" } }).catch(() => {});
        navigator.sendBeacon("/beacon", "b");
        fetch("/got").catch(() => {});
      </script>`,
    );
    const reply = done(await browser.open("reader", { url: url("/posts"), wait: "idle" }));
    assert.ok(codes(reply).filter((code) => code === "method-refused").length >= 6);
    assert.deepEqual(
      site.seen.filter(({ method }) => method !== "GET"),
      [],
    );
    assert.equal(site.asked("/got"), 1);
  });

  test("WebSockets and WebRTC reach nobody", async () => {
    const stun = dgram.createSocket("udp4").bind(0, "127.0.0.1");
    await once(stun, "listening");
    const packets: Buffer[] = [];
    stun.on("message", (packet) => void packets.push(packet));
    const { port } = stun.address();
    site.html(
      "/sockets",
      `<script>
        new WebSocket("ws://site.test:${site.port}/ws");
        const peer = new RTCPeerConnection({ iceServers: [{ urls: "stun:127.0.0.1:${port}" }] });
        peer.createDataChannel("x");
        peer.createOffer().then((offer) => peer.setLocalDescription(offer));
      </script><p>sockets</p>`,
    );
    const reply = done(await browser.open("reader", { url: url("/sockets"), wait: "idle" }));
    assert.ok(codes(reply).includes("upgrade-refused"), JSON.stringify(reply.refused));
    assert.deepEqual(site.upgrades, []);
    // What was sent before the control would have come before it.
    dgram.createSocket("udp4").unref().send("control", port, "127.0.0.1");
    await once(stun, "message");
    assert.deepEqual(packets.map(String), ["control"]);
    stun.close();
  });

  test("downloads are refused, by header and by kind", async () => {
    const attached = { "content-disposition": "attachment; filename=x.html" };
    site.html("/attached", "<p>file</p>", attached);
    assert.equal(failure(await open("/attached")), "download");
    site.pages.set("/binary", (_request, response) => {
      response.writeHead(200, { "content-type": "application/octet-stream" }).end("\0\x01\x02");
    });
    assert.equal(failure(await open("/binary")), "download");
  });

  test("popups are closed, dialogs dismissed, service workers not registered", async () => {
    site.pages.set("/worker.js", (_request, response) => {
      response.writeHead(200, { "content-type": "text/javascript" }).end("");
    });
    site.html("/popup", "<p>popup</p>");
    site.html(
      "/opens",
      `<p id="p">none</p><script>
        window.open("/popup"); alert("hello"); confirm("sure?");
        navigator.serviceWorker?.register("/worker.js").then(() => { p.textContent = "registered" }, () => {});
      </script>`,
    );
    const reply = done(await browser.open("reader", { url: url("/opens"), wait: "idle" }));
    assert.equal(reply.page.markdown, "none");
    assert.equal(site.asked("/worker.js"), 0);
  });

  test("every call begins anew: no cookie, storage or cache of the one before", async () => {
    site.html(
      "/visit",
      `<p id="p"></p><script>
        p.textContent = document.cookie + "|" + localStorage.getItem("seen") + "|" + navigator.storage;
        document.cookie = "seen=1; max-age=999"; localStorage.setItem("seen", "1");
      </script>`,
      { "set-cookie": "server=1; Max-Age=999", "cache-control": "max-age=9999" },
    );
    const first = done(await open("/visit")).page.markdown;
    assert.equal(done(await open("/visit")).page.markdown, first);
    assert.equal(site.asked("/visit"), 2);
  });

  test("what is too large is refused: by its length, without one, and compressed", async () => {
    let sent = 0;
    const endless = (write: (chunk: Buffer) => boolean, more: () => boolean): void => {
      const chunk = Buffer.alloc(MEGABYTE / 4, " ");
      while (more() && sent < 100 * MEGABYTE) {
        sent += chunk.length;
        if (!write(chunk)) return;
      }
    };
    site.pages.set("/long", (_request, response) => {
      response.writeHead(200, {
        "content-type": "text/html",
        "content-length": String(100 * MEGABYTE),
      });
      response.write("<p>beginning</p>");
    });
    assert.equal(failure(await open("/long")), "too-large");
    site.pages.set("/chunked", (_request, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      const go = (): void =>
        endless(
          (chunk) => response.write(chunk),
          () => !response.destroyed,
        );
      response.on("drain", go);
      go();
    });
    assert.equal(failure(await open("/chunked")), "too-large");
    assert.ok(sent < 50 * MEGABYTE, `${sent} bytes were taken`);
    const bomb = gzipSync(Buffer.alloc(100 * MEGABYTE));
    assert.ok(bomb.length < MEGABYTE);
    site.pages.set("/bomb", (_request, response) => {
      response
        .writeHead(200, { "content-type": "text/html", "content-encoding": "gzip" })
        .end(bomb);
    });
    assert.equal(failure(await open("/bomb")), "too-large");
    site.pages.set("/coded", (_request, response) => {
      response.writeHead(200, { "content-encoding": "rot13" }).end("x");
    });
    assert.equal(failure(await open("/coded")), "upstream-protocol");
  });

  test("a page that never ends is read as far as it came", async () => {
    site.pages.set("/endless", (_request, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.write(`<title>endless</title><p>${"the beginning of it ".repeat(200)}</p>`);
    });
    const reply = done(await open("/endless", "hasty"));
    assert.equal(reply.page.complete, false);
    assert.match(reply.page.markdown, /the beginning of it/);
    site.pages.set("/silent", () => undefined);
    assert.equal(failure(await open("/silent", "hasty")), "timeout");
  });

  test("what a page asks for when its call is over isn't asked", async () => {
    site.html("/late", `<script>setInterval(() => fetch("/tick"), 20)</script><p>late</p>`);
    done(await open("/late"));
    const before = site.asked("/tick");
    // Longer than many of its ticks: calls after it, in the same browser.
    site.html("/next", "<p>next</p>");
    done(await open("/next"));
    assert.ok(site.asked("/tick") - before <= 4);
    const after = site.asked("/tick");
    done(await open("/next"));
    assert.equal(site.asked("/tick"), after);
  });

  test("a refusal of the gate's can't be put on by a page's server", async () => {
    site.html("/fake", "<p>fine</p>", { "x-seawall-refused": "address-refused" });
    assert.match(done(await open("/fake")).page.markdown, /fine/);
  });

  test("a page that never lets go ends its browser, and the next call has a new one", async () => {
    site.html("/next", "<p>next</p>");
    site.html("/busy", "<script>setTimeout(() => { for (;;); }, 0)</script><p>busy</p>");
    const reply = await browser.open("hasty", { url: url("/busy"), wait: "idle" });
    assert.notEqual(reply.end, "refused");
    assert.match(done(await open("/next", "hasty")).page.markdown, /next/);
  });

  test("a browser that ended is started again", async () => {
    site.html("/next", "<p>next</p>");
    done(await open("/next"));
    const running = browser.walls.running.get("reader");
    assert.ok(running !== undefined);
    site.pages.set("/killer", () => running.kill("SIGKILL"));
    assert.equal(failure(await open("/killer")), "browser-ended");
    await running.exited;
    assert.match(done(await open("/next")).page.markdown, /next/);
  });

  test("bots have browsers of their own, and one without a grant has none", async () => {
    site.html("/next", "<p>next</p>");
    done(await open("/next", "narrow"));
    const one = browser.walls.running.get("reader")?.pid;
    const other = browser.walls.running.get("narrow")?.pid;
    assert.ok(one !== undefined && other !== undefined && one !== other);
    assert.equal(failure(await open("/next", "stranger")), "not-granted");
  });
});

function done(reply: PageReply): {
  readonly page: RenderedPage;
  readonly refused: readonly RefusedRequest[];
} {
  assert.equal(reply.end, "done", JSON.stringify(reply).slice(0, 500));
  assert.ok(reply.end === "done");
  return reply;
}

function codes({ refused }: { readonly refused: readonly RefusedRequest[] }): string[] {
  return refused.map(({ code }) => code);
}

function failure(reply: PageReply): string {
  return reply.end === "done" ? `done: ${reply.page.markdown.slice(0, 200)}` : reply.code;
}
