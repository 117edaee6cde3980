// What one can do about a session: say something of it, keep it, leave it alone, take it along.
import { useState } from "react";
import { Link } from "../app/Link";
import { useKeys } from "../app/keys";
import type { SessionWithVisits } from "../api/schema";
import { term } from "../filter/words";
import { ChangeDialog } from "../parts/ChangeDialog";
import { Copy } from "../parts/Copy";
import { ExportMenu } from "../parts/ExportMenu";
import { Menu } from "../parts/Menu";
import menu from "../parts/Menu.module.css";
import { NoteDialog } from "./NoteDialog";
import { usePin } from "./say";
import style from "./Session.module.css";

/** What of the session can be taken along. */
const LISTS = [
  ["requests", "Its requests"],
  ["visits", "Its visits"],
  ["verdicts", "Its verdicts"],
] as const;

export function Actions({ id, session }: { id: string; session: SessionWithVisits | undefined }) {
  const [asks, setAsks] = useState<"note" | "pin" | null>(null);
  const close = () => setAsks(null);
  useKeys("What to do about it", [
    { key: "m", does: "say something of the session", run: () => session && setAsks("note") },
    { key: "p", does: "pin or unpin", run: () => session && setAsks("pin") },
  ]);
  const pinned = session?.pinned ?? false;
  return (
    <span className={style.actions}>
      <button
        type="button"
        className="button"
        disabled={!session}
        title="Labels and words, for everyone (m)"
        onClick={() => setAsks("note")}
      >
        {session?.note == null ? "Note…" : "Change note…"}
      </button>
      <button
        type="button"
        className="button"
        disabled={!session}
        title="Keep it beyond the time that records are kept (p)"
        onClick={() => setAsks("pin")}
      >
        {pinned ? "Unpin…" : "Pin…"}
      </button>
      <Enforce id={id} application={session?.application} />
      <CopyMenu id={id} />
      <ExportMenu lists={LISTS} q={term("session", id)} />
      {asks === "note" && <NoteDialog id={id} note={session?.note ?? null} onClose={close} />}
      {asks === "pin" && <PinDialog id={id} pinned={pinned} onClose={close} />}
    </span>
  );
}

/** What the filter does about it: nothing yet, but there is an exception to be made. */
function Enforce({ id, application }: { id: string; application: string | undefined }) {
  return (
    <Menu label="Act" name="Act on the session" align="right">
      {() => (
        <>
          {application !== undefined && (
            <Link
              className={menu.item}
              title="An exception in the policy: no verdict on this session, now or later"
              to={`/setup/detection?app=${encodeURIComponent(application)}&kind=session&value=${id}`}
            >
              Leave alone… <span className="quiet">no verdict, now or later</span>
            </Link>
          )}
          {["Block", "Unblock"].map((name) => (
            <button key={name} type="button" className={menu.item} disabled>
              {name} <span className="quiet">comes with enforcement</span>
            </button>
          ))}
        </>
      )}
    </Menu>
  );
}

interface PinProps {
  id: string;
  pinned: boolean;
  onClose: () => void;
}

function PinDialog({ id, pinned, onClose }: PinProps) {
  const change = usePin(id);
  return (
    <ChangeDialog
      title={pinned ? "Let this session go?" : "Keep this session?"}
      does={pinned ? "Unpin" : "Pin"}
      pending={change.isPending}
      error={change.error}
      onSend={(by) => change.mutate({ pinned: !pinned, ...by }, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p className="soft">
        {pinned
          ? "It goes when its time has come, with its note."
          : "Its records, verdict and note are kept beyond the time and the disk budget that hold for others, until somebody unpins it."}
      </p>
    </ChangeDialog>
  );
}

/** The session as text to take along. */
function CopyMenu({ id }: { id: string }) {
  const { origin } = window.location;
  const texts = [
    ["link", "Link", `${origin}/sessions/${id}`],
    ["session id", "Session id", id],
    ["curl", "curl", `curl -s '${origin}/v1/sessions/${id}/requests?limit=500'`],
    ["SQL", "SQL", `SELECT * FROM requests WHERE session = '${id}' ORDER BY start`],
  ] as const;
  return (
    <Menu label="Copy" name="Copy as text" align="right">
      {() =>
        texts.map(([what, title, text]) => (
          <Copy key={what} what={what} text={text} className={menu.item}>
            {title} <span className="quiet cut">{text}</span>
          </Copy>
        ))
      }
    </Menu>
  );
}
