import { useId, useState } from "react";
import { useFacet } from "../api/facets";
import type { SessionNote } from "../api/schema";
import { ChangeDialog } from "../parts/ChangeDialog";
import { labelsOf } from "./labels";
import { useSay } from "./say";
import style from "./Note.module.css";

interface Props {
  id: string;
  note: SessionNote | null;
  onClose: () => void;
}

/** Labels that are in use, to be taken up again. */
const KNOWN = 50;

/** Says something of a session, in place of what was said before. */
export function NoteDialog({ id, note, onClose }: Props) {
  const change = useSay(id);
  const list = useId();
  const [labels, setLabels] = useState(note?.labels.join(", ") ?? "");
  const [words, setWords] = useState(note?.note ?? "");
  const known = useFacet("label", undefined, KNOWN, true);
  const typed = labelsOf(labels);
  const others = (known.data?.values ?? []).map(({ value }) => value);
  const offered = others.filter(
    (value): value is string => value != null && !typed.includes(value),
  );
  const isEmpty = typed.length === 0 && words.trim() === "";
  return (
    <ChangeDialog
      title={note === null ? "Say something of this session" : "What is said of this session"}
      does={isEmpty && note !== null ? "Take it back" : "Keep it"}
      pending={change.isPending}
      error={change.error}
      onSend={(by) => change.mutate({ labels: typed, note: words, ...by }, { onSuccess: onClose })}
      onClose={onClose}
    >
      <label>
        Labels
        <input
          className="field"
          value={labels}
          placeholder="partner, asked Ann"
          aria-describedby={list}
          onChange={(event) => setLabels(event.target.value)}
        />
        <span className="quiet" id={list}>
          With commas between; <code>label:…</code> finds the session by them.
        </span>
      </label>
      {offered.length > 0 && (
        <p className={style.offered}>
          <span className="quiet">In use:</span>
          {offered.slice(0, 8).map((label) => (
            <button
              key={label}
              type="button"
              className={style.offer}
              onClick={() => setLabels([...typed, label].join(", "))}
            >
              {label}
            </button>
          ))}
        </p>
      )}
      <label>
        Note
        <textarea
          className={`field ${style.words}`}
          value={words}
          rows={4}
          maxLength={4096}
          placeholder="What the next person should know"
          onChange={(event) => setWords(event.target.value)}
        />
      </label>
    </ChangeDialog>
  );
}
