import type { SessionWithVisits } from "../api/schema";
import { Labels } from "../parts/Labels";
import { Time } from "../parts/Time";
import style from "./Note.module.css";

/** What people say of the session, above everything that it did. */
export function NoteLine({ session: { note, pinned } }: { session: SessionWithVisits }) {
  if (note == null && !pinned) return null;
  return (
    <section className={`panel ${style.line}`} aria-label="What people say of it">
      {pinned && (
        <span title="It is kept beyond its time, until somebody unpins it">
          <span aria-hidden="true">◆</span> Pinned
        </span>
      )}
      {note != null && (
        <>
          {note.labels.length > 0 && <Labels labels={note.labels} />}
          <span className={style.text}>{note.note}</span>
          <span className={`quiet ${style.who}`}>
            {note.author}, <Time at={note.time} withDay />
          </span>
        </>
      )}
    </section>
  );
}
