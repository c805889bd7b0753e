// The world's management API: what people and the operator do to the simulated
// Slack while Bolt looks at it from the other side.
export class World {
  constructor(base) {
    this.base = base.replace(/\/$/, '');
  }

  async ask(verb, path, body) {
    const res = await fetch(`${this.base}/manage/${path}`, { method: verb, body: body && JSON.stringify(body) });
    const out = await res.json();
    if (!res.ok) throw new Error(`${verb} ${path}: ${out.error}`);
    return out;
  }

  add(kind, what) {
    return this.ask('POST', kind, what);
  }

  dials(turn) {
    return this.ask('PATCH', 'dials', turn);
  }

  person(id) {
    return new Person(this, id);
  }
}

// A person with a client open.
class Person {
  constructor(world, id) {
    this.world = world;
    this.id = id;
  }

  does(deed, how) {
    return this.world.ask('POST', `people/${this.id}/${deed}`, how);
  }

  // Waits at most five seconds for messages that contain the words.
  sees(channel, words) {
    const query = new URLSearchParams({ channel, contains: words, wait: 5 });
    return this.world.ask('GET', `people/${this.id}/messages?${query}`);
  }

  // Waits for a modal to open, unless told that none should be.
  views(wait = 5) {
    return this.world.ask('GET', `people/${this.id}/views?wait=${wait}`);
  }

  home(app) {
    return this.world.ask('GET', `people/${this.id}/home?wait=5&app=${app}`);
  }
}
