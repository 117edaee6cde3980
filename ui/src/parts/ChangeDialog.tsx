// The one way to a change: what it does, who and why, the admin token, and what the API says.
import { useState, type FormEvent, type ReactNode } from "react";
import { asProblem } from "../api/problem";
import { giveToken, useTokens } from "../api/tokens";
import style from "./ChangeDialog.module.css";
import { Dialog } from "./Dialog";
import { Notice } from "./State";

const AUTHOR = "throughline.author";

/** Who changes something, and why. */
export interface By {
  author: string;
  comment: string;
}

interface Props {
  title: string;
  /** What the button says. */
  does: string;
  /** Asks for the change. */
  onSend: (by: By) => void;
  pending: boolean;
  error: Error | null;
  onClose: () => void;
  children?: ReactNode;
}

export function ChangeDialog({ title, does, onSend, pending, error, onClose, children }: Props) {
  const { hasAdmin, adminRefused } = useTokens();
  const [author, setAuthor] = useState(localStorage.getItem(AUTHOR) ?? "");
  const [comment, setComment] = useState("");
  const [token, setToken] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    localStorage.setItem(AUTHOR, author);
    if (token !== "") giveToken("admin", token);
    onSend({ author, comment });
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form className={style.form} onSubmit={submit}>
        {children}
        <div className={style.fields}>
          <label>
            Who you are
            <input
              className="field"
              value={author}
              required
              autoComplete="username"
              onChange={(event) => setAuthor(event.target.value)}
            />
          </label>
          <label>
            Why
            <input
              className="field"
              value={comment}
              placeholder="for those who read the log later"
              onChange={(event) => setComment(event.target.value)}
            />
          </label>
        </div>
        {(!hasAdmin || adminRefused) && (
          <label>
            Admin token
            <input
              className="field mono"
              type="password"
              required
              value={token}
              autoComplete="off"
              onChange={(event) => setToken(event.target.value)}
            />
            <span className="quiet">
              One of <code>throughline token create NAME --role admin</code>, or the value of{" "}
              <code>THROUGHLINE_ADMIN_TOKEN</code>; kept until this tab is closed.
            </span>
          </label>
        )}
        {error && <Refusal error={error} />}
        <div className={style.bar}>
          <button type="submit" className="button main" disabled={pending}>
            {pending ? "Asking…" : does}
          </button>
          <button type="button" className="button" onClick={onClose}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Fields beside each other where there is room. */
export function Fields({ children }: { children: ReactNode }) {
  return <div className={style.fields}>{children}</div>;
}

function Refusal({ error }: { error: Error }) {
  const { title, detail, remedy } = asProblem(error);
  return (
    <Notice tone="bad">
      <strong>{title}</strong> {detail}
      {remedy != null && <span className="soft">{remedy}</span>}
    </Notice>
  );
}
