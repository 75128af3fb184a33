import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Fault } from "../state/fault.ts";
import { documentsAt, jobKindNames } from "../state/job-words.ts";
import { deleteSchedule, listSchedules, scheduleList, setSchedule } from "../state/schedules.ts";
import { ConfirmButton } from "./confirm-button.tsx";
import { FaultNote } from "./fault-note.tsx";
import { Icon } from "./icon.tsx";
import { SaveForm } from "./save-form.tsx";
import { TextField } from "./text-field.tsx";

/** Kinds of jobs that make sense again and again. */
const kinds = ["index", "reindex", "evaluate"];

/** Jobs that are submitted by the clock. */
export function ScheduleList() {
  const { schedules, loading, fault } = scheduleList.value;
  const making = useSignal(false);
  const deleteFault = useSignal<Fault | undefined>(undefined);
  useEffect(() => {
    const leaving = new AbortController();
    void listSchedules(leaving.signal);
    return () => leaving.abort();
  }, []);
  const done = () => {
    making.value = false;
  };
  return (
    <section aria-labelledby="schedules">
      <div class="section-head">
        <h2 id="schedules">Schedules</h2>
        {!making.value && (
          <button
            type="button"
            class="button"
            onClick={() => {
              making.value = true;
            }}
          >
            <Icon name="plus" />
            <span>New schedule</span>
          </button>
        )}
      </div>
      {making.value && <ScheduleForm onDone={done} />}
      <FaultNote fault={fault ?? deleteFault.value} />
      {schedules.length === 0 && !loading && !fault && <p class="empty">Nothing is scheduled.</p>}
      <ul>
        {schedules.map(({ name, cron, timeZone, kind }) => (
          <li key={name} class="entry">
            <div class="entry-main">
              <h3>{name}</h3>
              <p class="entry-facts">
                <span>{jobKindNames[kind] ?? kind}</span>
                <code>{cron}</code>
                <span>{timeZone}</span>
              </p>
            </div>
            <div class="entry-actions">
              <ConfirmButton
                label={`Delete the schedule ${name}`}
                question="Delete?"
                onConfirm={() =>
                  void deleteSchedule(name).then((failed) => {
                    deleteFault.value = failed;
                  })
                }
              >
                <Icon name="trash" />
              </ConfirmButton>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function ScheduleForm({ onDone }: { onDone: () => void }) {
  const draft = useSignal({
    ...{ name: "", cron: "0 3 * * *", kind: "index", addresses: "" },
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
  const change = (part: Partial<typeof draft.value>) => {
    draft.value = { ...draft.peek(), ...part };
  };
  const { name, cron, timeZone, kind, addresses } = draft.value;
  const save = () => {
    const input = kind === "index" ? { documents: documentsAt(addresses) } : {};
    return setSchedule({ name, cron, timeZone, kind, input });
  };
  return (
    <SaveForm action="Set the schedule" save={save} onSaved={onDone} onCancel={onDone}>
      <div class="form-row">
        <TextField
          label="Name"
          value={name}
          required
          maxLength={64}
          pattern="[a-z0-9._\-]+"
          placeholder="nightly"
          onType={(value) => change({ name: value })}
        />
        <TextField
          label="When"
          hint="Minute, hour, day, month, weekday"
          value={cron}
          required
          onType={(value) => change({ cron: value })}
        />
        <TextField label="Time zone" value={timeZone} onType={(value) => change({ timeZone: value })} />
      </div>
      <label class="text-field">
        <span class="text-field-label">What</span>
        <select class="field" value={kind} onChange={(event) => change({ kind: event.currentTarget.value })}>
          {kinds.map((each) => (
            <option key={each} value={each}>
              {jobKindNames[each]}
            </option>
          ))}
        </select>
      </label>
      {kind === "index" && (
        <TextField
          label="Addresses, one a line"
          rows={2}
          required
          value={addresses}
          onType={(value) => change({ addresses: value })}
        />
      )}
    </SaveForm>
  );
}
