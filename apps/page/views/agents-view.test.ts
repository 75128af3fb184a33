import assert from "node:assert/strict";
import { breachesOf } from "../testing/accessibility.ts";
import { eventually, pageTest } from "../testing/page-test.ts";

pageTest("an agent is made, changed, talked to and deleted", async ({ page, gateway }) => {
  const asked: string[] = [];
  const { chat } = gateway.script;
  gateway.script.chat = (request, given) => {
    asked.push(request.agentId);
    return chat.call(gateway.script, request, given);
  };
  await page.goto("/?view=agents");
  await page.getByRole("link", { name: "New agent" }).click();
  await page.getByLabel("Name").fill("Gauge");
  await page.getByLabel("Preamble").fill("Be exact.");
  await page.getByLabel("Steps").fill("5");
  await page.getByLabel("calculator").check();
  await page.getByLabel("Each call needs approval of calculator").check();
  assert.match((await page.locator("form").textContent()) ?? "", /mcp:weather: the server does not answer/);
  await page.getByRole("button", { name: "Create the agent" }).click();
  const link = page.getByRole("link", { name: "Gauge", exact: true });
  await link.waitFor();
  const [made] = gateway.agents.values();
  assert.equal(made?.preamble, "Be exact.");
  assert.equal(made?.limits?.maxSteps, 5);
  assert.deepEqual(
    made?.tools.map(({ name, needsApproval }) => [name, needsApproval]),
    [
      ["search", false],
      ["calculator", true],
    ],
  );
  assert.deepEqual(await breachesOf(page), []);
  await link.click();
  assert.equal(await page.getByLabel("Preamble").inputValue(), "Be exact.");
  await page.getByLabel("Temperature").fill("0.5");
  await page.getByRole("button", { name: "Save" }).click();
  await link.waitFor();
  assert.equal([...gateway.agents.values()][0]?.temperature, 0.5);
  await page.getByRole("link", { name: "Chat with Gauge" }).click();
  await page.getByLabel("Message").fill("Hello, brewery");
  await page.keyboard.press("Enter");
  await page.waitForURL(/conversation=/);
  await page.locator(".turn-foot").waitFor();
  await page.getByLabel("Message").fill("Once more");
  await page.keyboard.press("Enter");
  await eventually(() => assert.deepEqual(asked, [made?.id, made?.id]));
  await page.goto("/?view=agents");
  await page.getByRole("button", { name: "Delete Gauge" }).click();
  await page.getByRole("button", { name: "Delete?" }).click();
  await page.getByText("No agents yet.").waitFor();
});

pageTest(
  "an agent that the server refuses is told why, and nothing that was typed is lost",
  async ({ page }) => {
    const make = async () => {
      await page.goto("/?view=agents&agent=new");
      await page.getByLabel("Name").fill("Twice");
      await page.getByRole("button", { name: "Create the agent" }).click();
    };
    await make();
    await page.getByRole("link", { name: "Twice", exact: true }).waitFor();
    await make();
    await page.getByRole("alert").getByText("There is an agent Twice already.").waitFor();
    assert.equal(await page.getByLabel("Name").inputValue(), "Twice");
  },
  { allow: /409/ },
);
