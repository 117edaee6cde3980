import { useState, type FormEvent } from "react";
import { Link } from "../app/Link";
import { Menu } from "../parts/Menu";
import menu from "../parts/Menu.module.css";
import style from "./FilterBar.module.css";
import { useViews, viewUrl } from "./views";

/** Pages with their filter, under a name; and a name for this one. */
export function ViewsMenu() {
  const { views, save, remove } = useViews();
  const [name, setName] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save({ name: name.trim(), url: viewUrl(window.location.pathname + window.location.search) });
    setName("");
  };
  return (
    <Menu label="Views" name="Saved views" align="right">
      {(close) => (
        <div className={style.views}>
          {views.length === 0 && <p className="quiet">No view is saved yet.</p>}
          <ul>
            {views.map((view) => (
              <li key={view.name}>
                <Link to={view.url} className={menu.item} title={view.url} onClick={close}>
                  {view.name}
                </Link>
                <button
                  type="button"
                  className="button"
                  aria-label={`Forget the view ${view.name}`}
                  onClick={() => remove(view.name)}
                >
                  ×
                </button>
              </li>
            ))}
          </ul>
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
            <button type="submit" className="button">
              Save
            </button>
          </form>
          <p className="quiet">Kept in this browser; its link works for everyone.</p>
        </div>
      )}
    </Menu>
  );
}
