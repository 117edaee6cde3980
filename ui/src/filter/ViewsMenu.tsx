import { useState, type FormEvent } from "react";
import { Link } from "../app/Link";
import { ChangeDialog } from "../parts/ChangeDialog";
import { Copy } from "../parts/Copy";
import { Menu } from "../parts/Menu";
import menu from "../parts/Menu.module.css";
import style from "./FilterBar.module.css";
import { useSharedViews, useShareView } from "./sharedViews";
import { useViews, viewUrl, type View } from "./views";

/** Where one is, without what is chosen there. */
const here = () => viewUrl(window.location.pathname + window.location.search);

/** Pages with their filter, under a name: everyone's and one's own; and a name for this one. */
export function ViewsMenu() {
  const own = useViews();
  const shared = useSharedViews();
  const [name, setName] = useState("");
  const [asks, setAsks] = useState<View | { name: string; url: null } | null>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    own.save({ name: name.trim(), url: here() });
    setName("");
  };
  return (
    <>
      <Menu label="Views" name="Saved views" align="right">
        {(close) => (
          <div className={style.views}>
            <Copy what="link to this page" text={window.location.origin + here()} />
            <ViewList
              title="For everyone"
              views={shared}
              onOpen={close}
              onForget={(view) => setAsks({ name: view, url: null })}
            />
            <ViewList
              title="In this browser"
              views={own.views}
              onOpen={close}
              onForget={own.remove}
            />
            {shared.length + own.views.length === 0 && (
              <p className="quiet">No view is saved yet.</p>
            )}
            <form onSubmit={submit}>
              <input
                className="field"
                aria-label="Name of this view"
                placeholder="Name of this view"
                required
                maxLength={60}
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
              <button type="submit" className="button" title="Kept in this browser">
                Save
              </button>
              <button
                type="button"
                className="button"
                disabled={name.trim() === ""}
                onClick={() => setAsks({ name: name.trim(), url: here() })}
              >
                For everyone…
              </button>
            </form>
          </div>
        )}
      </Menu>
      {asks && (
        <ShareDialog
          view={asks}
          onClose={() => setAsks(null)}
          onDone={() => {
            setAsks(null);
            setName("");
          }}
        />
      )}
    </>
  );
}

interface ListProps {
  title: string;
  views: View[];
  onOpen: () => void;
  onForget: (name: string) => void;
}

function ViewList({ title, views, onOpen, onForget }: ListProps) {
  if (views.length === 0) return null;
  return (
    <section aria-label={title}>
      <h3 className="quiet">{title}</h3>
      <ul>
        {views.map((view) => (
          <li key={view.name}>
            <Link to={view.url} className={menu.item} title={view.url} onClick={onOpen}>
              <span className="cut">{view.name}</span>
            </Link>
            <button
              type="button"
              className="button"
              aria-label={`Forget the view ${view.name}`}
              onClick={() => onForget(view.name)}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface ShareProps {
  /** Without an address it is forgotten. */
  view: { name: string; url: string | null };
  onClose: () => void;
  onDone: () => void;
}

function ShareDialog({ view: { name, url }, onClose, onDone }: ShareProps) {
  const change = useShareView();
  return (
    <ChangeDialog
      title={url === null ? "Forget this view for everyone?" : "Save this view for everyone?"}
      does={url === null ? "Forget it" : "Save it"}
      pending={change.isPending}
      error={change.error}
      onSend={(by) => change.mutate({ name, url, ...by }, { onSuccess: onDone })}
      onClose={onClose}
    >
      <p className="soft">
        <strong>{name}</strong>{" "}
        {url === null
          ? "is no longer in anyone's list; links to the page still work."
          : "is in everyone's list of views then, in place of what had the name before."}
      </p>
    </ChangeDialog>
  );
}
