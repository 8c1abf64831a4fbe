# Generated from src/declaration by: ./dev nix generate
# A test compares; don't edit.
{ lib, types }:
{
  secrets = lib.mkOption {
    type = lib.types.attrsOf (lib.types.submodule {
      options = {
        vault = lib.mkOption {
          type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9._-]{0,62}");
          default = null;
          description = "Name in the embedded vault.";
        };
        file = lib.mkOption {
          type = lib.types.nullOr types.outsideStore;
          default = null;
          description = "File that holds the value, as agenix and sops-nix make them.";
        };
        age = lib.mkOption {
          type = lib.types.nullOr types.file;
          default = null;
          description = "File encrypted with age.";
        };
        sops = lib.mkOption {
          type = lib.types.nullOr types.file;
          default = null;
          description = "SOPS file, YAML or JSON, with age recipients.";
        };
        systemdCredential = lib.mkOption {
          type = lib.types.nullOr (lib.types.strMatching "[A-Za-z0-9_][A-Za-z0-9_.:-]{0,254}");
          default = null;
          description = "Name of a systemd credential ($CREDENTIALS_DIRECTORY).";
        };
        keyring = lib.mkOption {
          type = lib.types.nullOr lib.types.nonEmptyStr;
          default = null;
          description = "Account in the desktop's keyring.";
        };
        exec = lib.mkOption {
          type = lib.types.nullOr (lib.types.listOf lib.types.nonEmptyStr);
          default = null;
          description = "Program and arguments; it prints the value. No shell.";
        };
        env = lib.mkOption {
          type = lib.types.nullOr (lib.types.strMatching "[A-Z][A-Z0-9_]{0,63}");
          default = null;
          description = "Variable of the broker's environment. The worst place.";
        };
        key = lib.mkOption {
          type = lib.types.nullOr lib.types.nonEmptyStr;
          default = null;
          description = "For sops: the steps to the value in the file.";
        };
        identity = lib.mkOption {
          type = lib.types.nullOr types.outsideStore;
          default = null;
          description = "For age and sops: age identity file or SSH private key.";
        };
        passphrase = lib.mkOption {
          type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9._-]{0,62}");
          default = null;
          description = "For age and sops: the secret that opens the identity, or the file itself.";
        };
        encrypted = lib.mkOption {
          type = lib.types.nullOr types.file;
          default = null;
          description = "For systemdCredential: a file that systemd-creds encrypted under that name.";
        };
        service = lib.mkOption {
          type = lib.types.nullOr lib.types.nonEmptyStr;
          default = null;
          description = "For keyring: the service, \"seawall\" if absent.";
        };
        oauth2 = lib.mkOption {
          type = lib.types.nullOr (lib.types.submodule {
            options = {
              tokenUrl = lib.mkOption {
                type = lib.types.nonEmptyStr;
                description = "Token endpoint.";
              };
              clientId = lib.mkOption {
                type = lib.types.nonEmptyStr;
                description = "The client's id, which is no secret.";
              };
              clientSecret = lib.mkOption {
                type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9._-]{0,62}");
                default = null;
                description = "Name of the secret that is the client's.";
              };
              clientAuthentication = lib.mkOption {
                type = lib.types.nullOr (lib.types.enum [ "body" "basic" ]);
                default = null;
                description = "How the client's secret is sent: in the body, or as HTTP Basic; body if absent.";
              };
              refreshToken = lib.mkOption {
                type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9._-]{0,62}");
                default = null;
                description = "Secret with the refresh token; without it the client's own credentials are used.";
              };
              scopes = lib.mkOption {
                type = lib.types.nullOr (lib.types.listOf lib.types.nonEmptyStr);
                default = null;
                description = "What tokens may be used for; [] leaves it to the provider.";
              };
              parameters = lib.mkOption {
                type = lib.types.nullOr (lib.types.attrsOf lib.types.nonEmptyStr);
                default = null;
                description = "What the endpoint wants besides, as { audience: \"https://api.example.com\" }.";
              };
              dial = lib.mkOption {
                type = lib.types.nullOr (lib.types.submodule {
                  options = {
                    host = lib.mkOption {
                      type = lib.types.nullOr lib.types.nonEmptyStr;
                      default = null;
                      description = "Address or name to connect to instead.";
                    };
                    port = lib.mkOption {
                      type = lib.types.nullOr (lib.types.ints.between 1 65535);
                      default = null;
                      description = "";
                    };
                    ca = lib.mkOption {
                      type = lib.types.nullOr lib.types.nonEmptyStr;
                      default = null;
                      description = "PEM file with the CAs to trust, relative to this file.";
                    };
                    proxy = lib.mkOption {
                      type = lib.types.nullOr (lib.types.strMatching "(http|socks5)://([[][0-9a-f:.]+[]]|[A-Za-z0-9.-]+):[0-9]{1,5}");
                      default = null;
                      description = "The way out: an HTTP proxy (CONNECT) or SOCKS5.";
                    };
                    networks = lib.mkOption {
                      type = lib.types.nullOr (lib.types.listOf lib.types.str);
                      default = null;
                      description = "Networks the name may resolve to though they aren't public, as \"10.0.0.0/8\".";
                    };
                    clientCertificate = lib.mkOption {
                      type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9._-]{0,62}");
                      default = null;
                      description = "Secret with a client certificate and its key, PEM.";
                    };
                  };
                });
                default = null;
                description = "Where and how to connect, if not to the service's public address.";
              };
            };
          });
          default = null;
          description = "Made: access tokens by OAuth 2.0 (refresh token or client credentials).";
        };
        googleServiceAccount = lib.mkOption {
          type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9._-]{0,62}");
          default = null;
          description = "Name of the secret that is a Google service account's key, JSON; access tokens are made.";
        };
        githubApp = lib.mkOption {
          type = lib.types.nullOr (lib.types.submodule {
            options = {
              appId = lib.mkOption {
                type = lib.types.oneOf [
                  lib.types.int
                  (lib.types.strMatching "[A-Za-z0-9._-]{1,64}")
                ];
                description = "The App's id or client id.";
              };
              installationId = lib.mkOption {
                type = lib.types.int;
                description = "The installation that tokens are for.";
              };
              privateKey = lib.mkOption {
                type = lib.types.strMatching "[a-z0-9][a-z0-9._-]{0,62}";
                description = "Name of the secret that is the App's private key, PEM.";
              };
              repositories = lib.mkOption {
                type = lib.types.nullOr (lib.types.listOf (lib.types.strMatching "[A-Za-z0-9._-]{1,100}"));
                default = null;
                description = "The installation's repositories that tokens are for; all of them if absent.";
              };
              permissions = lib.mkOption {
                type = lib.types.nullOr (lib.types.attrsOf (lib.types.enum [ "read" "write" "admin" ]));
                default = null;
                description = "What tokens may do there; all that the App may if absent.";
              };
              apiUrl = lib.mkOption {
                type = lib.types.nullOr lib.types.nonEmptyStr;
                default = null;
                description = "API of a GitHub Enterprise Server; api.github.com if absent.";
              };
              dial = lib.mkOption {
                type = lib.types.nullOr (lib.types.submodule {
                  options = {
                    host = lib.mkOption {
                      type = lib.types.nullOr lib.types.nonEmptyStr;
                      default = null;
                      description = "Address or name to connect to instead.";
                    };
                    port = lib.mkOption {
                      type = lib.types.nullOr (lib.types.ints.between 1 65535);
                      default = null;
                      description = "";
                    };
                    ca = lib.mkOption {
                      type = lib.types.nullOr lib.types.nonEmptyStr;
                      default = null;
                      description = "PEM file with the CAs to trust, relative to this file.";
                    };
                    proxy = lib.mkOption {
                      type = lib.types.nullOr (lib.types.strMatching "(http|socks5)://([[][0-9a-f:.]+[]]|[A-Za-z0-9.-]+):[0-9]{1,5}");
                      default = null;
                      description = "The way out: an HTTP proxy (CONNECT) or SOCKS5.";
                    };
                    networks = lib.mkOption {
                      type = lib.types.nullOr (lib.types.listOf lib.types.str);
                      default = null;
                      description = "Networks the name may resolve to though they aren't public, as \"10.0.0.0/8\".";
                    };
                    clientCertificate = lib.mkOption {
                      type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9._-]{0,62}");
                      default = null;
                      description = "Secret with a client certificate and its key, PEM.";
                    };
                  };
                });
                default = null;
                description = "Where and how to connect, if not to the service's public address.";
              };
            };
          });
          default = null;
          description = "Made: installation tokens of a GitHub App.";
        };
        scopes = lib.mkOption {
          type = lib.types.nullOr (lib.types.listOf lib.types.nonEmptyStr);
          default = null;
          description = "For googleServiceAccount: what tokens may be used for.";
        };
        subject = lib.mkOption {
          type = lib.types.nullOr lib.types.nonEmptyStr;
          default = null;
          description = "For googleServiceAccount: the user in whose name (domain-wide delegation).";
        };
        dial = lib.mkOption {
          type = lib.types.nullOr (lib.types.submodule {
            options = {
              host = lib.mkOption {
                type = lib.types.nullOr lib.types.nonEmptyStr;
                default = null;
                description = "Address or name to connect to instead.";
              };
              port = lib.mkOption {
                type = lib.types.nullOr (lib.types.ints.between 1 65535);
                default = null;
                description = "";
              };
              ca = lib.mkOption {
                type = lib.types.nullOr lib.types.nonEmptyStr;
                default = null;
                description = "PEM file with the CAs to trust, relative to this file.";
              };
              proxy = lib.mkOption {
                type = lib.types.nullOr (lib.types.strMatching "(http|socks5)://([[][0-9a-f:.]+[]]|[A-Za-z0-9.-]+):[0-9]{1,5}");
                default = null;
                description = "The way out: an HTTP proxy (CONNECT) or SOCKS5.";
              };
              networks = lib.mkOption {
                type = lib.types.nullOr (lib.types.listOf lib.types.str);
                default = null;
                description = "Networks the name may resolve to though they aren't public, as \"10.0.0.0/8\".";
              };
              clientCertificate = lib.mkOption {
                type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9._-]{0,62}");
                default = null;
                description = "Secret with a client certificate and its key, PEM.";
              };
            };
          });
          default = null;
          description = "Where and how to connect, if not to the service's public address.";
        };
      };
    });
    default = { };
    description = "Names of secrets and where each value is kept or how it is made. Never a value.";
  };

  services = lib.mkOption {
    type = lib.types.attrsOf (lib.types.submodule {
      options = {
        about = lib.mkOption {
          type = lib.types.nullOr lib.types.nonEmptyStr;
          default = null;
          description = "What it is, for people, and for agents that have its command.";
        };
        hosts = lib.mkOption {
          type = lib.types.listOf lib.types.nonEmptyStr;
          description = "Origins the service is reached at; {region} stands for the grant's, for AWS.";
        };
        credential = lib.mkOption {
          type = lib.types.listOf (lib.types.submodule {
            options = {
              header = lib.mkOption {
                type = lib.types.nullOr (lib.types.strMatching "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}");
                default = null;
                description = "Header that carries the credential.";
              };
              prefix = lib.mkOption {
                type = lib.types.nullOr lib.types.nonEmptyStr;
                default = null;
                description = "What stands before the credential, as \"Bearer \".";
              };
              path = lib.mkOption {
                type = lib.types.nullOr (lib.types.strMatching "/[A-Za-z0-9._~/-]*[{]secret[}]");
                default = null;
                description = "Beginning of the path, with {secret} for the credential, as \"/bot{secret}\".";
              };
              basic = lib.mkOption {
                type = lib.types.nullOr (lib.types.enum [ "user" "password" ]);
                default = null;
                description = "Half of HTTP's Basic authentication that is the credential.";
              };
              cookie = lib.mkOption {
                type = lib.types.nullOr (lib.types.strMatching "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}");
                default = null;
                description = "Cookie that carries the credential.";
              };
              query = lib.mkOption {
                type = lib.types.nullOr lib.types.nonEmptyStr;
                default = null;
                description = "Name in the query of the target.";
              };
              form = lib.mkOption {
                type = lib.types.nullOr lib.types.nonEmptyStr;
                default = null;
                description = "Field of a form-urlencoded body.";
              };
              multipart = lib.mkOption {
                type = lib.types.nullOr lib.types.nonEmptyStr;
                default = null;
                description = "Part of a multipart/form-data body.";
              };
              json = lib.mkOption {
                type = lib.types.nullOr (lib.types.strMatching "(/([^~/]|~[01])*)+");
                default = null;
                description = "JSON pointer into the body.";
              };
              sigv4 = lib.mkOption {
                type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9-]{0,62}");
                default = null;
                description = "Service of AWS that calls are signed for (Signature Version 4), as \"sqs\".";
              };
              websocket = lib.mkOption {
                type = lib.types.nullOr (lib.types.strMatching "(/([^~/]|~[01])*)+");
                default = null;
                description = "JSON pointer into a text frame that the bot sends.";
              };
              where = lib.mkOption {
                type = lib.types.nullOr (lib.types.attrsOf (lib.types.oneOf [
                  lib.types.str
                  lib.types.number
                ]));
                default = null;
                description = "What that frame also says, as { \"/op\": 2 }.";
              };
            };
          });
          description = "Where a call carries the credential.";
        };
        phantom = lib.mkOption {
          type = lib.types.nonEmptyStr;
          default = "phantom-{base64url:40}";
          description = "Shape of the worthless token the bot gets: text with {digits:N}, {hex:N}, {base32:N}, {alphanumeric:N} or {base64url:N}.";
        };
        variable = lib.mkOption {
          type = lib.types.nullOr (lib.types.strMatching "[A-Z][A-Z0-9_]{0,63}");
          default = null;
          description = "Environment variable in which the bot finds the phantom.";
        };
        allow = lib.mkOption {
          type = lib.types.listOf types.json;
          description = "Calls that may be made, as \"GET /api/v3/**\".";
        };
        deny = lib.mkOption {
          type = lib.types.listOf types.json;
          default = [ ];
          description = "Calls that are never made, whatever allows them.";
        };
        anonymous = lib.mkOption {
          type = lib.types.listOf types.json;
          default = [ ];
          description = "Calls that may be made without credential.";
        };
        challenge = lib.mkOption {
          type = lib.types.nullOr lib.types.nonEmptyStr;
          default = null;
          description = "WWW-Authenticate of the 401 that a call without credential gets.";
        };
        usage = lib.mkOption {
          type = lib.types.nullOr (lib.types.enum [ "anthropic" "openai" "gemini" ]);
          default = null;
          description = "Whose form the numbers of tokens in its replies have.";
        };
        messages = lib.mkOption {
          type = lib.types.listOf (lib.types.submodule {
            options = {
              call = lib.mkOption {
                type = lib.types.strMatching "([*]|[A-Z]{3,16}) [a-z0-9.-]{0,253}/[A-Za-z0-9._~!$&'()*+,=:@{}/-]*";
                description = "The call that sends it, as \"POST /api/messages\".";
              };
              texts = lib.mkOption {
                type = lib.types.listOf (lib.types.strMatching "(/([^~/]|~[01])*)+");
                description = "Where its texts and links stand.";
              };
              previewOff = lib.mkOption {
                type = lib.types.nullOr (lib.types.attrsOf types.json);
                default = null;
                description = "What switches link previews off, by JSON pointer.";
              };
            };
          });
          default = [ ];
          description = "Calls that carry messages to people, to be checked by a grant's content.";
        };
        git = lib.mkOption {
          type = lib.types.nullOr lib.types.nonEmptyStr;
          default = null;
          description = "The one of its hosts that git reaches over HTTPS.";
        };
        headers = lib.mkOption {
          type = lib.types.nullOr (lib.types.attrsOf (lib.types.submodule {
            options = {
              about = lib.mkOption {
                type = lib.types.nullOr lib.types.nonEmptyStr;
                default = null;
                description = "What it is for, for agents.";
              };
              usual = lib.mkOption {
                type = lib.types.nullOr lib.types.nonEmptyStr;
                default = null;
                description = "What is sent where an agent gives none.";
              };
            };
          }));
          default = null;
          description = "Headers that an agent may give to its command, as { \"X-Api-Version\": {} }.";
        };
      };
    });
    default = { };
    description = "Services that the catalogue doesn't have.";
  };

  bots = lib.mkOption {
    type = lib.types.attrsOf (lib.types.submodule {
      options = {
        openclaw = lib.mkOption {
          type = lib.types.strMatching "[0-9]{4}[.][0-9]{1,2}[.][0-9]{1,3}(-[a-z]+[.][0-9]+)?";
          description = "Pinned version of OpenClaw.";
        };
        model = lib.mkOption {
          type = lib.types.strMatching "[a-z0-9-]{1,40}/[A-Za-z0-9._:/-]{1,120}";
          description = "Model the agent thinks with, as provider/model.";
        };
        grants = lib.mkOption {
          type = lib.types.attrsOf (lib.types.submodule {
            options = {
              secret = lib.mkOption {
                type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9._-]{0,62}");
                default = null;
                description = "Name of the secret, as declared under secrets.";
              };
              url = lib.mkOption {
                type = lib.types.nullOr lib.types.nonEmptyStr;
                default = null;
                description = "Where a service is that everybody runs for themselves.";
              };
              server = lib.mkOption {
                type = lib.types.nullOr lib.types.nonEmptyStr;
                default = null;
                description = "Where a service is that isn't reached by HTTP (imap, smtp, postgres).";
              };
              tunnel = lib.mkOption {
                type = lib.types.nullOr (lib.types.ints.between 1 65535);
                default = null;
                description = "Pass connections to this port through unopened; no secret.";
              };
              tcp = lib.mkOption {
                type = lib.types.nullOr (lib.types.oneOf [
                  (lib.types.ints.between 1 65535)
                  (lib.types.listOf (lib.types.ints.between 1 65535))
                ]);
                default = null;
                description = "Pass all bytes to this port, or these, through as they are; no TLS needed, no secret.";
              };
              allow = lib.mkOption {
                type = lib.types.nullOr (lib.types.listOf types.json);
                default = null;
                description = "Calls that may be made instead of the service's own list, which \"...\" stands for.";
              };
              ask = lib.mkOption {
                type = lib.types.nullOr (lib.types.listOf types.json);
                default = null;
                description = "Calls that you are asked about each time (seawall approve).";
              };
              deny = lib.mkOption {
                type = lib.types.nullOr (lib.types.listOf types.json);
                default = null;
                description = "Calls that are never made, whatever allows them.";
              };
              limits = lib.mkOption {
                type = lib.types.nullOr (lib.types.submodule {
                  options = {
                    callsPerMinute = lib.mkOption {
                      type = lib.types.nullOr (lib.types.ints.between 1 1000000);
                      default = null;
                      description = "";
                    };
                    concurrentCalls = lib.mkOption {
                      type = lib.types.nullOr (lib.types.ints.between 1 10000);
                      default = null;
                      description = "";
                    };
                    bytesPerDay = lib.mkOption {
                      type = lib.types.nullOr (lib.types.oneOf [
                        lib.types.int
                        (lib.types.strMatching "[1-9][0-9]{0,5}[KMGT]")
                      ]);
                      default = null;
                      description = "Body bytes both ways, as \"1G\"; for tunnels all bytes.";
                    };
                    tokensPerDay = lib.mkOption {
                      type = lib.types.nullOr (lib.types.ints.between 1 1000000000000);
                      default = null;
                      description = "Tokens in and out, as replies report them.";
                    };
                    dollarsPerDay = lib.mkOption {
                      type = lib.types.nullOr lib.types.number;
                      default = null;
                      description = "By Seawall's price table.";
                    };
                  };
                });
                default = null;
                description = "How much may be done. More is refused until there is room again.";
              };
              content = lib.mkOption {
                type = lib.types.nullOr (lib.types.submodule {
                  options = {
                    maxBytes = lib.mkOption {
                      type = lib.types.nullOr (lib.types.oneOf [
                        lib.types.int
                        (lib.types.strMatching "[1-9][0-9]{0,5}[KMGT]")
                      ]);
                      default = null;
                      description = "Longest message.";
                    };
                    links = lib.mkOption {
                      type = lib.types.nullOr (lib.types.listOf (lib.types.strMatching "([*][.])?([a-z0-9-]{1,63}[.])+[a-z0-9-]{1,63}"));
                      default = null;
                      description = "Hosts that links may lead to; any if absent.";
                    };
                    otherLinks = lib.mkOption {
                      type = lib.types.nullOr (lib.types.enum [ "refuse" "ask" ]);
                      default = null;
                      description = "What becomes of a message with another link: refused, unless this says ask.";
                    };
                    previews = lib.mkOption {
                      type = lib.types.nullOr (lib.types.enum [ "off" "unchanged" ]);
                      default = null;
                      description = "Link previews are switched off where the service can, unless this says unchanged.";
                    };
                  };
                });
                default = null;
                description = "What messages may hold, looked at before they leave.";
              };
              dial = lib.mkOption {
                type = lib.types.nullOr (lib.types.submodule {
                  options = {
                    host = lib.mkOption {
                      type = lib.types.nullOr lib.types.nonEmptyStr;
                      default = null;
                      description = "Address or name to connect to instead.";
                    };
                    port = lib.mkOption {
                      type = lib.types.nullOr (lib.types.ints.between 1 65535);
                      default = null;
                      description = "";
                    };
                    ca = lib.mkOption {
                      type = lib.types.nullOr lib.types.nonEmptyStr;
                      default = null;
                      description = "PEM file with the CAs to trust, relative to this file.";
                    };
                    proxy = lib.mkOption {
                      type = lib.types.nullOr (lib.types.strMatching "(http|socks5)://([[][0-9a-f:.]+[]]|[A-Za-z0-9.-]+):[0-9]{1,5}");
                      default = null;
                      description = "The way out: an HTTP proxy (CONNECT) or SOCKS5.";
                    };
                    networks = lib.mkOption {
                      type = lib.types.nullOr (lib.types.listOf lib.types.str);
                      default = null;
                      description = "Networks the name may resolve to though they aren't public, as \"10.0.0.0/8\".";
                    };
                    clientCertificate = lib.mkOption {
                      type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9._-]{0,62}");
                      default = null;
                      description = "Secret with a client certificate and its key, PEM.";
                    };
                  };
                });
                default = null;
                description = "Where and how to connect, if not to the service's public address.";
              };
              aws = lib.mkOption {
                type = lib.types.nullOr (lib.types.submodule {
                  options = {
                    region = lib.mkOption {
                      type = lib.types.strMatching "[a-z0-9][a-z0-9-]{0,62}";
                      description = "Region that calls are for, as \"eu-central-1\".";
                    };
                    service = lib.mkOption {
                      type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9-]{0,62}");
                      default = null;
                      description = "Service that calls are for, as \"sqs\", for \"aws\" alone.";
                    };
                    buckets = lib.mkOption {
                      type = lib.types.nullOr (lib.types.listOf (lib.types.strMatching "[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"));
                      default = null;
                      description = "Buckets that are reached at hosts of their own, as most clients do.";
                    };
                  };
                });
                default = null;
                description = "For services of AWS: what calls may be signed for.";
              };
              allowFrom = lib.mkOption {
                type = lib.types.nullOr (lib.types.listOf (lib.types.oneOf [
                  lib.types.int
                  (lib.types.strMatching "[A-Za-z0-9@._:=/+-]{1,255}")
                ]));
                default = null;
                description = "For channels: the senders the bot listens to.";
              };
              to = lib.mkOption {
                type = lib.types.nullOr (lib.types.listOf (lib.types.strMatching "[a-z]([a-z0-9-]{0,30}[a-z0-9])?"));
                default = null;
                description = "For bridge: the bots it may write to.";
              };
              from = lib.mkOption {
                type = lib.types.nullOr (lib.types.listOf (lib.types.strMatching "[a-z]([a-z0-9-]{0,30}[a-z0-9])?"));
                default = null;
                description = "For bridge: the bots whose messages it takes; those that may write to it, if absent.";
              };
              allowHosts = lib.mkOption {
                type = lib.types.nullOr (lib.types.listOf (lib.types.strMatching "([*]|([*][.])?([a-z0-9_-]{1,63}[.])*[a-z0-9_-]{1,63}|[[][0-9a-f:.]{2,45}[]])(:[1-9][0-9]{0,4})?"));
                default = null;
                description = "For browser-fetch: the hosts that pages and all they load may come from.";
              };
              seconds = lib.mkOption {
                type = lib.types.nullOr (lib.types.ints.between 2 300);
                default = null;
                description = "For browser-fetch: for loading a page.";
              };
              pageBytes = lib.mkOption {
                type = lib.types.nullOr (lib.types.oneOf [
                  lib.types.int
                  (lib.types.strMatching "[1-9][0-9]{0,5}[KMGT]")
                ]);
                default = null;
                description = "For browser-fetch: what one page may load, with all on it, as \"25M\".";
              };
            };
          });
          description = "What the bot may reach, by service or host name.";
        };
        tools = lib.mkOption {
          type = lib.types.nullOr (lib.types.submodule {
            options = {
              allow = lib.mkOption {
                type = lib.types.listOf (lib.types.strMatching "[a-z][a-z0-9_:-]{0,63}");
                description = "";
              };
            };
          });
          default = null;
          description = "OpenClaw tools the agent may call.";
        };
        exec = lib.mkOption {
          type = lib.types.submodule {
            options = {
              allow = lib.mkOption {
                type = lib.types.nullOr (lib.types.listOf (lib.types.strMatching "[A-Za-z0-9][A-Za-z0-9._+-]{0,63}"));
                default = null;
                description = "";
              };
              packages = lib.mkOption {
                type = lib.types.listOf lib.types.package;
                default = [ ];
                description = "Packages whose programs `allow` may name; the main program of each, if that is left out.";
              };
            };
          };
          default = { };
          description = "Commands that exist inside the wall.";
        };
        port = lib.mkOption {
          type = lib.types.ints.between 1024 65535;
          default = 18789;
          description = "Port of the gateway on this host's 127.0.0.1.";
        };
        controlPage = lib.mkOption {
          type = lib.types.bool;
          default = false;
          description = "Serve OpenClaw's control page there.";
        };
        expose = lib.mkOption {
          type = lib.types.nullOr (lib.types.submodule {
            options = {
              domain = lib.mkOption {
                type = lib.types.nullOr lib.types.str;
                default = null;
                description = "Host name at which it is reached from outside, over HTTPS.";
              };
              tailscale = lib.mkOption {
                type = lib.types.nullOr (lib.types.enum [ true ]);
                default = null;
                description = "Reached from the tailnet instead, by the machine's own Tailscale.";
              };
            };
          });
          default = null;
          description = "The way in from outside of this machine, under systemd; none if absent.";
        };
        plugins = lib.mkOption {
          type = lib.types.listOf (lib.types.strMatching "@openclaw/[a-z0-9-]{1,60}");
          default = [ ];
          description = "Channel plugins that OpenClaw doesn't bundle.";
        };
        proxy = lib.mkOption {
          type = lib.types.nullOr (lib.types.ints.between 1 65535);
          default = null;
          description = "Port inside the wall at which the broker also is an HTTP proxy.";
        };
        unknownHosts = lib.mkOption {
          type = lib.types.nullOr (lib.types.enum [ "ask" ]);
          default = null;
          description = "Ask you about hosts that no grant has (seawall approve); refused if absent.";
        };
        limits = lib.mkOption {
          type = lib.types.nullOr (lib.types.submodule {
            options = {
              callsPerMinute = lib.mkOption {
                type = lib.types.nullOr (lib.types.ints.between 1 1000000);
                default = null;
                description = "";
              };
              concurrentCalls = lib.mkOption {
                type = lib.types.nullOr (lib.types.ints.between 1 10000);
                default = null;
                description = "";
              };
              bytesPerDay = lib.mkOption {
                type = lib.types.nullOr (lib.types.oneOf [
                  lib.types.int
                  (lib.types.strMatching "[1-9][0-9]{0,5}[KMGT]")
                ]);
                default = null;
                description = "Body bytes both ways, as \"1G\"; for tunnels all bytes.";
              };
              tokensPerDay = lib.mkOption {
                type = lib.types.nullOr (lib.types.ints.between 1 1000000000000);
                default = null;
                description = "Tokens in and out, as replies report them.";
              };
              dollarsPerDay = lib.mkOption {
                type = lib.types.nullOr lib.types.number;
                default = null;
                description = "By Seawall's price table.";
              };
              memory = lib.mkOption {
                type = lib.types.nullOr (lib.types.oneOf [
                  lib.types.int
                  (lib.types.strMatching "[1-9][0-9]{0,5}[KMGT]")
                ]);
                default = null;
                description = "All its processes together, as \"2G\", which OpenClaw needs.";
              };
              processes = lib.mkOption {
                type = lib.types.nullOr (lib.types.ints.between 1 4000000);
                default = null;
                description = "Processes and threads together.";
              };
              openFiles = lib.mkOption {
                type = lib.types.nullOr (lib.types.ints.between 64 1000000);
                default = null;
                description = "Of each process.";
              };
              fileSize = lib.mkOption {
                type = lib.types.nullOr (lib.types.oneOf [
                  lib.types.int
                  (lib.types.strMatching "[1-9][0-9]{0,5}[KMGT]")
                ]);
                default = null;
                description = "What one file may grow to, as \"1G\".";
              };
              cpu = lib.mkOption {
                type = lib.types.nullOr lib.types.number;
                default = null;
                description = "Processors' worth of time, as 1.5.";
              };
            };
          });
          default = null;
          description = "How much the bot may do, and use up of this machine.";
        };
        concessions = lib.mkOption {
          type = lib.types.listOf (lib.types.enum [ "no-landlock" "no-user-namespaces" ]);
          default = [ ];
          description = "What this bot's wall may go without; status goes on showing it.";
        };
        agents = lib.mkOption {
          type = lib.types.nullOr (lib.types.submodule {
            options = {
              repositories = lib.mkOption {
                type = lib.types.nullOr (lib.types.submodule {
                  options = {
                    gitea = lib.mkOption {
                      type = lib.types.nullOr (lib.types.submodule {
                        options = {
                          grant = lib.mkOption {
                            type = lib.types.nullOr (lib.types.strMatching "[a-z]([a-z0-9-]{0,30}[a-z0-9])?");
                            default = null;
                            description = "The bot's grant of gitea, if it has another name.";
                          };
                          secret = lib.mkOption {
                            type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9._-]{0,62}");
                            default = null;
                            description = "Secret to use instead of the grant's, as that of an account that may do more.";
                          };
                          owner = lib.mkOption {
                            type = lib.types.strMatching "[A-Za-z0-9]([A-Za-z0-9._-]{0,38}[A-Za-z0-9])?";
                            description = "Organisation that repositories are made in.";
                          };
                        };
                      });
                      default = null;
                      description = "On a Gitea or Forgejo.";
                    };
                    github = lib.mkOption {
                      type = lib.types.nullOr (lib.types.submodule {
                        options = {
                          grant = lib.mkOption {
                            type = lib.types.nullOr (lib.types.strMatching "[a-z]([a-z0-9-]{0,30}[a-z0-9])?");
                            default = null;
                            description = "The bot's grant of github, if it has another name.";
                          };
                          secret = lib.mkOption {
                            type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9._-]{0,62}");
                            default = null;
                            description = "Secret to use instead of the grant's, as that of an account that may do more.";
                          };
                          owner = lib.mkOption {
                            type = lib.types.strMatching "[A-Za-z0-9]([A-Za-z0-9._-]{0,38}[A-Za-z0-9])?";
                            description = "Organisation that repositories are made in.";
                          };
                        };
                      });
                      default = null;
                      description = "On GitHub.";
                    };
                    path = lib.mkOption {
                      type = lib.types.nullOr lib.types.nonEmptyStr;
                      default = null;
                      description = "In bare repositories below this folder of this host.";
                    };
                  };
                });
                default = null;
                description = "Where each agent's workspace is kept. The first is used unless --repo names one.";
              };
              channels = lib.mkOption {
                type = lib.types.nullOr (lib.types.submodule {
                  options = {
                    mattermost = lib.mkOption {
                      type = lib.types.nullOr (lib.types.submodule {
                        options = {
                          grant = lib.mkOption {
                            type = lib.types.nullOr (lib.types.strMatching "[a-z]([a-z0-9-]{0,30}[a-z0-9])?");
                            default = null;
                            description = "The bot's grant of mattermost, if it has another name.";
                          };
                          secret = lib.mkOption {
                            type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9._-]{0,62}");
                            default = null;
                            description = "Secret to use instead of the grant's, as that of an account that may do more.";
                          };
                          team = lib.mkOption {
                            type = lib.types.strMatching "[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?";
                            description = "Team that channels are made in.";
                          };
                          members = lib.mkOption {
                            type = lib.types.listOf (lib.types.strMatching "[a-z][a-z0-9._-]{0,63}");
                            description = "Users who are made members: you.";
                          };
                          private = lib.mkOption {
                            type = lib.types.bool;
                            default = false;
                            description = "Only members find it.";
                          };
                        };
                      });
                      default = null;
                      description = "";
                    };
                    discord = lib.mkOption {
                      type = lib.types.nullOr (lib.types.submodule {
                        options = {
                          grant = lib.mkOption {
                            type = lib.types.nullOr (lib.types.strMatching "[a-z]([a-z0-9-]{0,30}[a-z0-9])?");
                            default = null;
                            description = "The bot's grant of discord, if it has another name.";
                          };
                          secret = lib.mkOption {
                            type = lib.types.nullOr (lib.types.strMatching "[a-z0-9][a-z0-9._-]{0,62}");
                            default = null;
                            description = "Secret to use instead of the grant's, as that of an account that may do more.";
                          };
                          server = lib.mkOption {
                            type = lib.types.strMatching "[0-9]{17,20}";
                            description = "Server to make channels in.";
                          };
                          members = lib.mkOption {
                            type = lib.types.listOf (lib.types.strMatching "[0-9]{17,20}");
                            description = "Users whom agents listen to there: you.";
                          };
                        };
                      });
                      default = null;
                      description = "";
                    };
                    telegram = lib.mkOption {
                      type = lib.types.nullOr (lib.types.submodule {
                        options = {
                          members = lib.mkOption {
                            type = lib.types.listOf lib.types.int;
                            description = "Users whom agents listen to there: you.";
                          };
                        };
                      });
                      default = null;
                      description = "";
                    };
                  };
                });
                default = null;
                description = "Where each agent is talked to. The first is used unless --channel names one.";
              };
              template = lib.mkOption {
                type = lib.types.nullOr lib.types.path;
                default = null;
                description = "Folder whose files each new workspace begins with, relative to this file.";
              };
              shared = lib.mkOption {
                type = lib.types.nullOr lib.types.path;
                default = null;
                description = "Folder with the USER.md and TOOLS.md that all workspaces get, relative to this file.";
              };
              tools = lib.mkOption {
                type = lib.types.nullOr (lib.types.enum [ "bot" "wall" "podman" ]);
                default = null;
                description = "Where a new agent's tools run unless --tools says it: in the bot's wall (if absent), in one of their own, or in containers.";
              };
              podman = lib.mkOption {
                type = lib.types.nullOr (lib.types.submodule {
                  options = {
                    image = lib.mkOption {
                      type = lib.types.nonEmptyStr;
                      description = "Image that commands run in, which Podman here has already: an id, or a name with a digest.";
                    };
                  };
                });
                default = null;
                description = "Containers of the host's rootless Podman for agents' commands: docs/agents.md.";
              };
              skills = lib.mkOption {
                type = lib.types.nullOr lib.types.path;
                default = null;
                description = "Folder with skills that all agents read, relative to this file.";
              };
            };
          });
          default = null;
          description = "How seawall agent makes agents of this bot; it has none besides its own if absent.";
        };
        settings = lib.mkOption {
          type = lib.types.attrsOf types.json;
          default = { };
          description = "Further OpenClaw settings; they can't loosen what the wall depends on.";
        };
      };
    });
    default = { };
    description = "The bots.";
  };

  approvals = lib.mkOption {
    type = lib.types.nullOr (lib.types.submodule {
      options = {
        notify = lib.mkOption {
          type = lib.types.nullOr (lib.types.oneOf [
            (lib.types.oneOf [
              (lib.types.enum [ "desktop" ])
              (lib.types.submodule {
                options = {
                  command = lib.mkOption {
                    type = lib.types.nullOr (lib.types.listOf lib.types.nonEmptyStr);
                    default = null;
                    description = "Program and arguments; it gets the question as JSON on standard input.";
                  };
                  chat = lib.mkOption {
                    type = lib.types.nullOr (lib.types.submodule {
                      options = {
                        bot = lib.mkOption {
                          type = lib.types.strMatching "[a-z]([a-z0-9-]{0,30}[a-z0-9])?";
                          description = "Bot whose grant the message is sent by.";
                        };
                        grant = lib.mkOption {
                          type = lib.types.strMatching "[a-z]([a-z0-9-]{0,30}[a-z0-9])?";
                          description = "Its grant of a chat service.";
                        };
                        to = lib.mkOption {
                          type = lib.types.oneOf [
                            lib.types.int
                            lib.types.nonEmptyStr
                          ];
                          description = "Chat that the message goes to, by the service's own name for it.";
                        };
                      };
                    });
                    default = null;
                    description = "A message in a chat, sent by the broker with the secret that a bot's grant names.";
                  };
                };
              })
            ])
            (lib.types.listOf (lib.types.oneOf [
              (lib.types.enum [ "desktop" ])
              (lib.types.submodule {
                options = {
                  command = lib.mkOption {
                    type = lib.types.nullOr (lib.types.listOf lib.types.nonEmptyStr);
                    default = null;
                    description = "Program and arguments; it gets the question as JSON on standard input.";
                  };
                  chat = lib.mkOption {
                    type = lib.types.nullOr (lib.types.submodule {
                      options = {
                        bot = lib.mkOption {
                          type = lib.types.strMatching "[a-z]([a-z0-9-]{0,30}[a-z0-9])?";
                          description = "Bot whose grant the message is sent by.";
                        };
                        grant = lib.mkOption {
                          type = lib.types.strMatching "[a-z]([a-z0-9-]{0,30}[a-z0-9])?";
                          description = "Its grant of a chat service.";
                        };
                        to = lib.mkOption {
                          type = lib.types.oneOf [
                            lib.types.int
                            lib.types.nonEmptyStr
                          ];
                          description = "Chat that the message goes to, by the service's own name for it.";
                        };
                      };
                    });
                    default = null;
                    description = "A message in a chat, sent by the broker with the secret that a bot's grant names.";
                  };
                };
              })
            ]))
          ]);
          default = null;
          description = "How you are told that a call waits for your word.";
        };
        waitMinutes = lib.mkOption {
          type = lib.types.nullOr (lib.types.ints.between 1 60);
          default = null;
          description = "How long it waits; 5 if absent.";
        };
      };
    });
    default = null;
    description = "Calls that wait for your word.";
  };

  audit = lib.mkOption {
    type = lib.types.nullOr (lib.types.submodule {
      options = {
        rotateBytes = lib.mkOption {
          type = lib.types.nullOr (lib.types.oneOf [
            lib.types.int
            (lib.types.strMatching "[1-9][0-9]{0,5}[KMGT]")
          ]);
          default = null;
          description = "Size at which the record is put aside, as \"64M\".";
        };
      };
    });
    default = null;
    description = "The record of all calls.";
  };

  telemetry = lib.mkOption {
    type = lib.types.nullOr (lib.types.submodule {
      options = {
        metricsPort = lib.mkOption {
          type = lib.types.nullOr (lib.types.ints.between 1024 65535);
          default = null;
          description = "Port of 127.0.0.1 for OpenMetrics text.";
        };
        traces = lib.mkOption {
          type = lib.types.nullOr lib.types.nonEmptyStr;
          default = null;
          description = "OTLP/HTTP collector that gets traces, as http://127.0.0.1:4318/v1/traces.";
        };
      };
    });
    default = null;
    description = "Numbers for your monitoring; off if absent.";
  };
}
