import { request } from "node:http";

/** Whether `GET /healthz` at a port of loopback is answered with 200 within five seconds. */
export async function answersHealth(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const call = request(
    { host: "127.0.0.1", port, path: "/healthz", timeout: 5_000, agent: false },
    (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    },
  );
  call.once("timeout", () => call.destroy());
  call.once("error", () => resolve(false));
  call.end();
  return promise;
}
