# A machine in a VM: it boots, answers, holds under attack, and goes back. Needs KVM and the network
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
      virtualisation.memorySize = 4096;
      virtualisation.diskSize = 8192;
      environment.systemPackages = [ pkgs.curl ];
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
          port = 3000;
          settings.gateway.http.endpoints.chatCompletions.enabled = true;
        };
      };
      specialisation.stricter.configuration.services.seawall.bots.one.tools.allow = [ "read" ];
    };

  testScript =
    { nodes, ... }:
    ''
      def answers():
          machine.wait_until_succeeds("curl -fsS http://127.0.0.1:3000/healthz", timeout=300)

      def generation():
          return machine.succeed("readlink -f /etc/seawall/current").strip()

      machine.start()
      machine.wait_for_unit("seawall.target")
      answers()

      with subtest("a turn"):
          reply = machine.succeed(
              "curl -fsS -m 120 http://127.0.0.1:3000/v1/chat/completions"
              " -H \"Authorization: Bearer $(cat /var/lib/seawall/tokens/one)\""
              " -H 'Content-Type: application/json'"
              " -d '{\"model\":\"openclaw/main\",\"messages\":[{\"role\":\"user\",\"content\":\"say a word\"}]}'"
          )
          assert "seagull" in reply, reply

      with subtest("nothing of the key is where the bot is"):
          machine.fail(
              "grep -rqs real-key-of-the-test /var/lib/seawall/system/bots /nix/store/*-seawall-system/"
          )
          machine.fail(
              "grep -qs real-key-of-the-test /proc/$(systemctl show -P MainPID seawall-gateway-one)/environ"
          )

      with subtest("the wall holds"):
          machine.succeed("seawall prove one")

      with subtest("a switch, and back"):
          before = generation()
          machine.succeed("/run/current-system/specialisation/stricter/bin/switch-to-configuration test")
          assert generation() != before
          answers()
          machine.succeed("${nodes.machine.system.build.toplevel}/bin/switch-to-configuration test")
          assert generation() == before
          answers()

      with subtest("it is there after a boot"):
          machine.shutdown()
          machine.start()
          machine.wait_for_unit("seawall.target")
          answers()
    '';
}
