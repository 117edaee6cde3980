import { Link } from "../app/Link";
import type { SessionWithVisits } from "../api/schema";
import { rememberedList } from "../sessions/list";
import { Badge } from "../verdict/Badge";
import { Actions } from "./Actions";
import style from "./Session.module.css";

interface Props {
  id: string;
  onOther: (by: number) => void;
  /** Undefined while it is asked for. */
  session: SessionWithVisits | undefined;
}

/** Where one is, the sessions beside it in the list, and what one can do about it. */
export function Header({ id, onOther, session }: Props) {
  const verdict = session?.verdict;
  const { ids, url } = rememberedList();
  const at = ids.indexOf(id);
  return (
    <header className={style.header}>
      <nav aria-label="Where you are" className={style.path}>
        <Link to={url}>Sessions</Link>
        <span className="quiet">›</span>
        <h1 className="mono">{id}</h1>
      </nav>
      {verdict && (
        <Badge
          type={verdict.bot_type}
          confidence={verdict.confidence}
          state={verdict.state}
          flagged={verdict.flagged}
        />
      )}
      {at >= 0 && (
        <span className={style.others}>
          <button
            type="button"
            className="button"
            disabled={at === 0}
            onClick={() => onOther(-1)}
            aria-label="Session before in the list"
          >
            ↑ <kbd>[</kbd>
          </button>
          <button
            type="button"
            className="button"
            disabled={at === ids.length - 1}
            onClick={() => onOther(1)}
            aria-label="Next session of the list"
          >
            ↓ <kbd>]</kbd>
          </button>
        </span>
      )}
      <Actions id={id} session={session} />
    </header>
  );
}
