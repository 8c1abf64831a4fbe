# A machine in a VM: it boots, answers, has agents, holds under attack, and goes back. Needs KVM and the network
# (the pinned packages are fetched); `nix build .#checks.x86_64-linux.vm`.
{ pkgs }:
let
  # A model that says one word, and a service that says whether the real key came.
  standIns = pkgs.writeText "stand-ins.mjs" ''
    import { createServer } from "node:http";
    const say = (type, value) => `data: ''${JSON.stringify({ type, ...value })}\n\n`;
    createServer((request, response) => {
      request.resume().on("end", () => {
        const key = request.headers["x-api-key"];
        if (request.url === "/tide") return response.end("<h1>The tide is out</h1>");
        if (request.url.startsWith("/api/v3/")) return response.end(key === "real-key-of-the-test" ? "real" : "phantom");
        const line = (value) => response.write(JSON.stringify({ model: "one", created_at: new Date().toISOString(), ...value }) + "\n");
        if (request.url === "/api/chat") {
          line({ message: { role: "assistant", content: "seagull" }, done: false });
          line({ message: { role: "assistant", content: "" }, done: true, done_reason: "stop", prompt_eval_count: 1, eval_count: 1 });
          return response.end();
        }
        response.end(JSON.stringify({ models: [{ name: "one", model: "one" }] }));
      });
    }).listen(11434, "127.0.0.1");
  '';
in
pkgs.testers.runNixOSTest {
  name = "seawall";
  nodes.machine =
    { pkgs, ... }:
    {
      imports = [ ../modules ];
      networking.hosts."127.0.0.1" = [ "pages.example.org" ];
      virtualisation.memorySize = 6144;
      virtualisation.diskSize = 8192;
      environment.systemPackages = [
        pkgs.curl
        pkgs.socat
      ];
      systemd.services.stand-ins = {
        wantedBy = [ "multi-user.target" ];
        serviceConfig.ExecStart = "${pkgs.nodejs_24}/bin/node ${standIns}";
      };
      systemd.tmpfiles.rules = [ "f+ /run/secrets-of-the-test 0600 root root - real-key-of-the-test" ];
      services.seawall = {
        enable = true;
        secrets.key.file = "/run/secrets-of-the-test";
        services.answers = {
          hosts = [ "http://127.0.0.1:11434" ];
          credential = [ { header = "x-api-key"; } ];
          phantom = "{hex:32}";
          variable = "ANSWERS_KEY";
          allow = [ "GET /api/v3/**" ];
        };
        bots.one = {
          openclaw = "2026.9.6";
          model = "ollama/one";
          grants.ollama = { };
          grants.answers.secret = "key";
          grants.bridge.to = [ "two" ];
          grants.browser-fetch.allowHosts = [ "pages.example.org:11434" ];
          grants.browser-fetch.dial.networks = [ "127.0.0.0/8" ];
          exec.allow = [ "browser-fetch" ];
          agents.repositories.path = "/srv/git";
          port = 3000;
          settings.gateway.http.endpoints.chatCompletions.enabled = true;
        };
        bots.two = {
          openclaw = "2026.9.6";
          model = "ollama/one";
          grants.ollama = { };
          grants.bridge.to = [ "one" ];
          port = 3001;
        };
      };
      specialisation.stricter.configuration.services.seawall.bots.one.tools.allow = [ "read" ];
    };

  testScript =
    { nodes, ... }:
    ''
      def answers():
          for port in [3000, 3001]:
              machine.wait_until_succeeds(f"curl -fsS http://127.0.0.1:{port}/healthz", timeout=300)

      def turn(agent):
          return (
              "curl -fsS -m 120 http://127.0.0.1:3000/v1/chat/completions"
              " -H \"Authorization: Bearer $(cat /var/lib/seawall/tokens/one)\""
              " -H 'Content-Type: application/json'"
              f" -d '{{\"model\":\"openclaw/{agent}\",\"messages\":[{{\"role\":\"user\",\"content\":\"say a word\"}}]}}'"
              " | grep seagull"
          )

      def gateway():
          return machine.succeed("systemctl show -P MainPID seawall-gateway-one").strip()

      def generation():
          return machine.succeed("readlink -f /etc/seawall/current").strip()

      machine.start()
      machine.wait_for_unit("seawall.target")
      answers()

      with subtest("a turn"):
          machine.succeed(turn("main"))

      with subtest("an agent comes without a rebuild, and the gateway isn't restarted for it"):
          before = gateway()
          machine.succeed("seawall agent new ops")
          machine.wait_until_succeeds(turn("ops"), timeout=60)
          assert gateway() == before
          machine.succeed("test -d /srv/git/ops.git")
          machine.succeed("systemctl is-active seawall-agents.timer")
          # What the timer starts.
          machine.succeed("systemctl start seawall-agents.service")
          machine.succeed("seawall agent list | grep -q ops")

      with subtest("bots have a bridge, which is nobody's else"):
          machine.succeed("systemctl is-active seawall-bridge.service")
          machine.succeed("test $(stat -c %U /run/seawall/two/bridge/socket) = seawall_two")

      with subtest("pages are read by a browser that its gate has started"):
          machine.succeed("systemctl is-active seawall-gate-one.socket")
          machine.fail("systemctl is-active seawall-gate-one.service")
          # As the bot's broker asks, to whose user alone the socket is.
          read = (
              "printf '{\"operation\":\"fetch\",\"url\":\"http://pages.example.org:11434/tide\"}\\n'"
              " | setpriv --reuid=seawall_one --clear-groups socat -t 90 - UNIX-CONNECT:/run/seawall/one/gate/socket"
          )
          machine.succeed(read + " | grep 'The tide is out'")
          machine.fail(read.replace("seawall_one", "seawall-one"))

      with subtest("nothing of the key is where the bot is"):
          machine.fail(
              "grep -rqs real-key-of-the-test /var/lib/seawall/system/bots /nix/store/*-seawall-system/"
          )
          machine.fail(
              "grep -qs real-key-of-the-test /proc/$(systemctl show -P MainPID seawall-gateway-one)/environ"
          )

      with subtest("the wall holds"):
          machine.succeed("seawall prove one", "seawall prove two")

      with subtest("a switch, and back"):
          before = generation()
          machine.succeed("/run/current-system/specialisation/stricter/bin/switch-to-configuration test")
          assert generation() != before
          answers()
          machine.succeed("${nodes.machine.system.build.toplevel}/bin/switch-to-configuration test")
          assert generation() == before
          answers()
          machine.succeed("systemctl is-active seawall-bridge.service")

      with subtest("agents are no part of the system, and go as they came"):
          machine.succeed(turn("ops"), "seawall agent delete ops")
          machine.fail("seawall agent list | grep -q ops")

      with subtest("it is there after a boot"):
          machine.shutdown()
          machine.start()
          machine.wait_for_unit("seawall.target")
          answers()
    '';
}
