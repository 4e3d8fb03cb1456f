
// SPDX-License-Identifier: MIT
"use strict";
// All text of the snapshot gets into the page as text nodes, never as markup.
(function () {
	const STEP = 100; // rows of a table before one asks for more
	const data = JSON.parse(document.getElementById("data").textContent);
	const tables = data.tables;
	const processes = tables.find((t) => t.tree && columnOf(t, "pid") >= 0);
	// what the tree shows of a process; narrow screens leave the last ones out
	const TREE = ["name", "pid", "threads", "handles", "session_id", "integrity", "create_time", "command_line"];
	const TREE_MINOR = 2;

	// element("td", {class: "x"}, "text", other element...)
	function element(name, attributes, ...children) {
		const e = document.createElement(name);
		for (const [key, value] of Object.entries(attributes || {})) {
			if (typeof value === "function")
				e.addEventListener(key, value);
			else if (value !== false && value !== null && value !== undefined)
				e.setAttribute(key, value === true ? "" : value);
		}
		e.append(...children);
		return e;
	}

	function columnOf(table, key) {
		return table.columns.findIndex((c) => c[0] === key);
	}

	function typeOf(table, column) {
		return table.columns[column][2];
	}

	// The whole value as text; "" where it is absent.
	function fullText(table, row, column) {
		const value = row[column];

		if (value === null)
			return "";
		switch (typeOf(table, column)) {
		case "text": return data.strings[value];
		case "address": return "0x" + value;
		case "bool": return value ? "yes" : "no";
		default: return String(value);
		}
	}

	// As a table shows it: times without the digits after milliseconds.
	function shortText(table, row, column) {
		const text = fullText(table, row, column);

		return typeOf(table, column) === "time" ? text.replace("T", " ").slice(0, 23) : text;
	}

	function order(a, b) {
		return a < b ? -1 : a > b ? 1 : 0;
	}

	// Of two values that are there.
	function compareValues(type, a, b) {
		if (type === "text") {
			const x = data.strings[a], y = data.strings[b];

			return order(x.toLowerCase(), y.toLowerCase()) || order(x, y);
		}
		if (type === "address")
			return a.length - b.length || order(a, b);
		if (type === "number" && typeof a !== typeof b)
			return order(BigInt(a), BigInt(b));
		if (type === "number" && typeof a === "string")
			return order(BigInt(a), BigInt(b));
		return order(a, b);
	}

	// The rows in a column's order; what is absent comes last either way.
	function sorted(table, rows, column, direction) {
		const type = typeOf(table, column);

		return rows.slice().sort((a, b) => {
			const x = a[column], y = b[column];

			if (x === null || y === null)
				return (x === null) - (y === null);
			return direction * compareValues(type, x, y);
		});
	}

	// What ">5" and the like compare with, in the type's own terms; null: it is no such value.
	function operand(type, text) {
		if (type === "address") {
			const hex = text.toLowerCase().replace(/^0x/, "").replace(/`/g, "");

			return /^[0-9a-f]{1,16}$/.test(hex) ? hex.replace(/^0+(?=.)/, "") : null;
		}
		if (type === "number")
			return /^-?[0-9]+$/.test(text) ? Number(text) : null;
		if (type === "time")
			return text.replace(" ", "T");
		return null;
	}

	// A column's condition: "text" is contained, "=text" is all of it, "!text" is not contained;
	// numbers, addresses and times also <, <=, >, >=. null: no condition.
	function condition(table, column, words) {
		const [, op, text] = /^\s*(<=|>=|<|>|=|!)?\s*(.*?)\s*$/s.exec(words.toLowerCase());
		const type = typeOf(table, column);
		const has = (row) => [fullText(table, row, column), shortText(table, row, column)]
			.some((s) => s.toLowerCase().includes(text));

		if (op === "=")
			return (row) => fullText(table, row, column).toLowerCase() === text;
		if (!text)
			return null;
		if (op === "!")
			return (row) => !has(row);
		if (!op)
			return has;
		const limit = operand(type, type === "time" ? text.toUpperCase() : text);
		if (limit === null)
			return () => false;
		return (row) => {
			const c = row[column] === null ? NaN : compareValues(type, row[column], limit);

			return op[0] === "<" ? c < 0 || (op === "<=" && c === 0) : c > 0 || (op === ">=" && c === 0);
		};
	}

	// All of the words are somewhere in the row.
	function hasWords(table, words) {
		const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);

		if (!wanted.length)
			return null;
		return (row) => {
			const text = table.columns.map((_, i) => fullText(table, row, i) + "\n" +
				(typeOf(table, i) === "time" ? shortText(table, row, i) : "")).join("\n").toLowerCase();

			return wanted.every((w) => text.includes(w));
		};
	}

	// Runs after the last of several changes.
	function settled(action) {
		let timer = 0;

		return () => {
			clearTimeout(timer);
			timer = setTimeout(action, 120);
		};
	}

	// The process of a row of any table, if the tree has it.
	function processOf(table, row) {
		const column = columnOf(table, "pid");

		if (!processes || column < 0 || row[column] === null)
			return undefined;
		return processes.rows.find((p) => p[columnOf(processes, "pid")] === row[column]);
	}

	function cell(table, row, column) {
		const type = typeOf(table, column), text = shortText(table, row, column);

		if (row[column] === null)
			return element("td", {class: "absent " + type}, element("span", {"aria-label": "absent"}, "–"));
		if (table.columns[column][0] === "pid" && table !== processes) {
			const process = processOf(table, row);

			if (process)
				return element("td", {class: type}, element("button", {
					class: "link", type: "button", click: () => showProcess(process),
				}, text));
		}
		if (type === "text")
			return element("td", {class: type}, element("div", {}, text));
		return element("td", {class: type, title: type === "time" && fullText(table, row, column)}, text);
	}

		// A table that one can sort and filter, at the end of an element.
	function tableView(table, into, rows, columns, label) {
		const state = {column: -1, direction: 0, words: "", filters: new Map(), limit: STEP};
		const body = element("tbody"), shown = element("span", {class: "shown", role: "status"});
		const heads = columns.map(head), filters = element("tr", {class: "filters", hidden: true},
			...columns.map(filterBox));
		const more = element("div", {class: "more"});
		const update = settled(() => {
			state.limit = STEP;
			render();
		});

		function head(column) {
			const [, title, type, help] = table.columns[column];

			return element("th", {scope: "col", class: type, title: help},
				element("button", {type: "button", click: () => sortBy(column)}, title));
		}

		function filterBox(column) {
			return element("th", {}, element("input", {
				type: "search", "aria-label": "Filter " + table.columns[column][1],
				title: "text, =text, !text, <5, >=5", input: (event) => {
					state.filters.set(column, event.target.value);
					update();
				},
			}));
		}

		// Up, down, and as it was.
		function sortBy(column) {
			state.direction = state.column !== column ? 1 : state.direction === 1 ? -1 : 0;
			state.column = state.direction ? column : -1;
			heads.forEach((th, i) => {
				if (columns[i] !== state.column)
					th.removeAttribute("aria-sort");
				else
					th.setAttribute("aria-sort", state.direction > 0 ? "ascending" : "descending");
			});
			render();
		}

		function chosen() {
			const conditions = [hasWords(table, state.words),
				...[...state.filters].map(([c, words]) => condition(table, c, words))].filter(Boolean);
			const found = rows.filter((row) => conditions.every((fits) => fits(row)));

			return state.column < 0 ? found : sorted(table, found, state.column, state.direction);
		}

		function moreButton(title, limit) {
			return element("button", {type: "button", click: () => {
				state.limit = limit;
				render();
			}}, title);
		}

		function render() {
			const found = chosen(), visible = found.slice(0, state.limit);

			body.replaceChildren(...visible.map((row) =>
				element("tr", {}, ...columns.map((c) => cell(table, row, c)))));
			shown.textContent = (visible.length < found.length ?
				"First " + visible.length.toLocaleString("en") + " of " : "") +
				found.length.toLocaleString("en") + (found.length === 1 ? " row" : " rows") + (found.length < rows.length ?
				" that fit, of " + rows.length.toLocaleString("en") : "");
			more.replaceChildren();
			if (visible.length + 10 * STEP < found.length)
				more.append(moreButton("Show " + 10 * STEP + " more", state.limit + 10 * STEP));
			if (visible.length < found.length)
				more.append(moreButton("Show all " + found.length.toLocaleString("en"), Infinity));
		}

		const columnButton = element("button", {type: "button", "aria-expanded": "false", click: () => {
			filters.hidden = !filters.hidden;
			columnButton.setAttribute("aria-expanded", String(!filters.hidden));
		}}, "Column filters");
		into.append(element("div", {class: "tools"},
			element("label", {}, "Filter", element("input", {type: "search", input: (event) => {
				state.words = event.target.value;
				update();
			}})), columnButton, shown),
		element("div", {class: "scroll", role: "region", tabindex: 0, "aria-label": label},
			element("table", {}, element("caption", {class: "away"}, label),
				element("thead", {}, element("tr", {}, ...heads), filters), body)), more);
		render();
	}

	// Processes below the one that started them: arrows move, fold and unfold, Enter shows one.
	function treeView(table, into) {
		const columns = TREE.map((key) => columnOf(table, key)).filter((c) => c >= 0);
		const folded = new Set(), parents = [], body = element("tbody");
		const shown = element("span", {class: "shown", role: "status"});
		let trees = [], visible = [], current = 0, matches = null;

		// A row's parent is the last one before it that is one level up.
		function findParents() {
			const last = [];

			table.depths.forEach((depth, i) => {
				parents[i] = depth ? last[depth - 1] : -1;
				last[depth] = i;
			});
		}

		function hasChildren(i) {
			return table.depths[i + 1] > table.depths[i];
		}

		// All below a folded row is hidden; of a search, what fits and what leads there is seen.
		function chooseVisible(wanted) {
			const leads = new Set();
			let hiddenBelow = Infinity;

			matches = wanted && new Set([...table.rows.keys()].filter((i) => wanted(table.rows[i])));
			for (const i of matches || []) {
				for (let at = i; at >= 0 && !leads.has(at); at = parents[at])
					leads.add(at);
			}
			visible = [];
			table.depths.forEach((depth, i) => {
				if (matches) {
					if (leads.has(i))
						visible.push(i);
					return;
				}
				if (depth > hiddenBelow)
					return;
				hiddenBelow = folded.has(i) ? depth : Infinity;
				visible.push(i);
			});
		}

		function nameCell(i) {
			const td = cell(table, table.rows[i], columns[0]), inner = td.firstChild;

			td.classList.add("name");
			td.style.setProperty("--level", table.depths[i]);
			inner.prepend(element("span", {class: "twisty", "aria-hidden": "true", click: (event) => {
				event.stopPropagation();
				if (hasChildren(i))
					fold(i, !folded.has(i));
			}}, hasChildren(i) && !matches ? (folded.has(i) ? "▸" : "▾") : ""));
			return td;
		}

		function treeRow(i, at) {
			const row = table.rows[i];
			const tr = element("tr", {
				"aria-level": table.depths[i] + 1, tabindex: at === current ? 0 : -1,
				"aria-expanded": hasChildren(i) ? String(!folded.has(i) || !!matches) : null,
				class: matches && !matches.has(i) ? "dim" : null,
				click: () => showProcess(row),
				focus: () => move(at, false), keydown: (event) => key(event, i, at),
			}, nameCell(i), ...columns.slice(1).map((c, n) => {
				const td = cell(table, row, c);

				td.classList.toggle("minor", n >= TREE_MINOR);
				return td;
			}));

			for (const td of tr.children)
				td.setAttribute("role", "gridcell");
			tr.setAttribute("role", "row");
			return tr;
		}

		function render() {
			chooseVisible(hasWords(table, search.value));
			current = Math.min(current, Math.max(visible.length - 1, 0));
			trees = visible.map(treeRow);
			body.replaceChildren(...trees);
			shown.textContent = matches ? matches.size + " of " + table.rows.length + " processes fit" :
				visible.length + " of " + table.rows.length + " processes shown";
		}

		function move(at, focus) {
			if (!trees[at])
				return;
			if (trees[current])
				trees[current].tabIndex = -1;
			current = at;
			trees[at].tabIndex = 0;
			if (focus)
				trees[at].focus();
		}

		function fold(i, shut) {
			if (shut)
				folded.add(i);
			else
				folded.delete(i);
			render();
			move(Math.max(visible.indexOf(i), 0), true);
		}

		function key(event, i, at) {
			const open = hasChildren(i) && (!folded.has(i) || matches);
			const actions = {
				ArrowDown: () => move(at + 1, true),
				ArrowUp: () => move(at - 1, true),
				Home: () => move(0, true),
				End: () => move(trees.length - 1, true),
				ArrowRight: () => open ? move(at + 1, true) : hasChildren(i) && fold(i, false),
				ArrowLeft: () => open && !matches ? fold(i, true) : move(visible.indexOf(parents[i]), true),
				Enter: () => showProcess(table.rows[i]),
				" ": () => showProcess(table.rows[i]),
			};

			if (!actions[event.key] || event.ctrlKey || event.altKey || event.metaKey)
				return;
			event.preventDefault();
			actions[event.key]();
		}

		function foldAll(shut) {
			folded.clear();
			if (shut)
				table.rows.forEach((_, i) => hasChildren(i) && folded.add(i));
			current = 0;
			render();
		}

		const search = element("input", {type: "search", input: settled(render)});
		findParents();
		into.append(element("div", {class: "tools"}, element("label", {}, "Search", search),
			element("button", {type: "button", click: () => foldAll(true)}, "Fold all"),
			element("button", {type: "button", click: () => foldAll(false)}, "Unfold all"), shown),
		element("div", {class: "scroll tree"}, element("table", {
			role: "treegrid", "aria-label": "Process tree: arrows move, fold and unfold; Enter shows a process",
		}, element("thead", {}, element("tr", {role: "row"}, ...columns.map((c, n) => element("th", {
			scope: "col", role: "columnheader", title: table.columns[c][3],
			class: "plain " + typeOf(table, c) + (n > TREE_MINOR ? " minor" : ""),
		}, table.columns[c][1])))), body)));
		render();
	}

	// Key and value of all that is there.
	function facts(table, row, skip) {
		return element("dl", {}, ...table.columns.flatMap((c, i) => row[i] === null || skip.includes(c[0]) ? [] : [
			element("dt", {title: c[3]}, c[0].replace(/_/g, " ")),
			element("dd", {}, element(c[2] === "address" || c[2] === "time" ? "code" : "bdi", {},
				fullText(table, row, i)))]));
	}

	// The rows that other tables have of a process, each under its heading.
	function ownTables(pid) {
		return tables.filter((t) => t !== processes && columnOf(t, "pid") >= 0).map((t) => {
			const rows = t.rows.filter((row) => row[columnOf(t, "pid")] === pid);
			const columns = [...t.columns.keys()].filter((i) => !["pid", "process_name"].includes(t.columns[i][0]));

			if (rows.length === 0)
				return "";
			if (rows.length === 1)
				return element("div", {class: "card"}, element("h3", {}, t.title),
					facts(t, rows[0], ["pid", "process_name"]));
			return element("details", {class: "table", toggle: once((event) =>
				tableView(t, event.target, rows, columns, t.title)),
			}, element("summary", {}, element("h2", {}, t.title), " ",
				element("span", {class: "count"}, String(rows.length))));
		});
	}

	function once(action) {
		let done = false;

		return (event) => {
			if (!done)
				action(event);
			done = true;
		};
	}

	function showProcess(row) {
		const dialog = document.getElementById("process"), pid = row[columnOf(processes, "pid")];

		dialog.replaceChildren(element("div", {class: "dialog-head"},
			element("h2", {id: "process-title"}, element("bdi", {}, fullText(processes, row,
				columnOf(processes, "name")) || "no name"), " · " + (pid === null ? "no id" : pid)),
			element("button", {type: "button", click: () => dialog.close()}, "Close")),
		element("div", {class: "dialog-body"}, element("div", {class: "card"}, facts(processes, row, [])),
			...ownTables(pid)));
		if (!dialog.open)
			dialog.showModal();
		dialog.scrollTop = 0;
	}

	// What is in a closed table is made when it opens first.
	function build(table) {
		const details = document.getElementById(table.id);
		const columns = [...table.columns.keys()];

		details.fill = once(() => table.tree && table === processes ? treeView(table, details) :
			tableView(table, details, table.rows, columns, table.title));
		details.addEventListener("toggle", () => details.open && details.fill());
		if (details.open)
			details.fill();
	}

	// A link to a table opens it.
	function follow() {
		const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));

		if (target instanceof HTMLDetailsElement) {
			target.open = true;
			target.querySelector("summary").focus({preventScroll: true});
			target.scrollIntoView();
		}
	}

	// Paper shows every table; what is closed on the screen is closed again afterwards.
	function printing() {
		const opened = [];

		addEventListener("beforeprint", () => document.querySelectorAll("main details:not([open])").forEach((d) => {
			opened.push(d);
			if (d.fill)
				d.fill();
			d.open = true;
		}));
		addEventListener("afterprint", () => opened.splice(0).forEach((d) => {
			d.open = false;
		}));
	}

	if (matchMedia("(max-width: 60rem)").matches)
		document.querySelector("nav details").open = false;
	tables.forEach(build);
	printing();
	addEventListener("hashchange", follow);
	document.querySelector("nav").addEventListener("click", (event) => {
		const link = event.target.closest("a");

		if (link && link.hash === location.hash)
			follow();
	});
	follow();
})();
