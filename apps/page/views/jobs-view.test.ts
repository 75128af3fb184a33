import assert from "node:assert/strict";
import { JobState } from "@headwater/proto/connect/headwater/v1/job";
import { breachesOf } from "../testing/accessibility.ts";
import { eventually, pageTest } from "../testing/page-test.ts";

pageTest("a job is submitted, followed live, cancelled and tried again", async ({ page, gateway }) => {
  const { jobs } = gateway;
  await page.goto("/?view=jobs");
  await page.getByText("No jobs yet.").waitFor();
  await page.getByLabel(/^Take in documents/).fill("https://a.example/\nhttps://b.example/");
  await page.getByRole("button", { name: "Submit the job" }).click();
  const entry = page.locator('.entry[data-id="job-1"]');
  await entry.getByText("Waiting").waitFor();
  assert.deepEqual(jobs.jobs[0]?.input, {
    documents: [{ url: "https://a.example/" }, { url: "https://b.example/" }],
  });
  jobs.move("job-1", { state: JobState.ACTIVE, progress: { done: 1n, total: 2n, note: "fetching" } });
  await entry.getByText("1 of 2, fetching").waitFor();
  assert.equal(await entry.getByRole("progressbar").getAttribute("value"), "1");
  await entry.getByRole("button", { name: "Cancel" }).click();
  await entry.getByText("Cancelled").waitFor();
  await entry.getByRole("button", { name: "Try again" }).click();
  await entry.getByText("Waiting").waitFor();
  const error = { reason: "HW_AWAY", message: "The server is away.", action: "Look at it." };
  jobs.move("job-1", { state: JobState.FAILED, attempts: 3, error });
  await entry.getByText("The server is away. Look at it.").waitFor();
  await entry.getByText("attempt 3 of 3").waitFor();
  assert.deepEqual(await breachesOf(page), []);
  await entry.getByRole("button", { name: "Try again" }).click();
  await entry.getByText("Waiting").waitFor();
  jobs.move("job-1", { state: JobState.COMPLETED, output: { indexed: 2, failed: 0 } });
  await entry.getByText("2 documents indexed").waitFor();
  await entry.getByRole("link").click();
  assert.match(page.url(), /job=job-1/);
  await entry.getByText('"url": "https://a.example/"').waitFor();
  assert.deepEqual(await breachesOf(page), []);
});

pageTest("a schedule is set and deleted", async ({ page, gateway }) => {
  await page.goto("/?view=jobs");
  await page.getByText("Nothing is scheduled.").waitFor();
  await page.getByRole("button", { name: "New schedule" }).click();
  await page.getByLabel("Name").fill("nightly");
  await page.getByLabel("What").selectOption("reindex");
  await page.getByRole("button", { name: "Set the schedule" }).click();
  await page.getByRole("heading", { name: "nightly" }).waitFor();
  const schedule = gateway.jobs.schedules.get("nightly");
  assert.equal(schedule?.cron, "0 3 * * *");
  assert.equal(schedule?.kind, "reindex");
  await page.getByRole("button", { name: "Delete the schedule nightly" }).click();
  await page.getByRole("button", { name: "Delete?" }).click();
  await eventually(() => assert.equal(gateway.jobs.schedules.size, 0));
  await page.getByText("Nothing is scheduled.").waitFor();
});
