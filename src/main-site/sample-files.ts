/**
 * What a starter folder has to say, about a coffee roaster and the shops that serve its coffee: a page of each inheritance, a table
 * that the template makes of a data file, and news.
 */

export interface SampleFile {
  readonly path: string;
  readonly text: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** @param day `YYYY-MM-DD`, of the newest news */
export function sampleFiles(siteName: string, day: string): readonly SampleFile[] {
  const before = new Date(Date.parse(day) - 12 * DAY_MS).toISOString().slice(0, 10);
  return [
    { path: 'pages/index.md', text: INDEX },
    { path: 'pages/brewing.md', text: BREWING },
    { path: 'pages/visit.md', text: VISIT },
    { path: 'pages/story.md', text: story(siteName) },
    { path: 'pages/news/index.md', text: NEWS },
    { path: 'pages/news/at-the-counter.md', text: atTheCounter(day) },
    { path: 'pages/news/new-harvest.md', text: newHarvest(before) },
    { path: 'data/coffees.yaml', text: COFFEES },
  ];
}

const COFFEES = `# Templates and pages use this as {{ data.coffees }}; templates/coffees.html makes a table of it.
- name: Harbour blend
  from: Brazil, Ethiopia
  tastes: hazelnut, cocoa, a little orange
  goodFor: espresso, milk drinks
- name: Gedeb
  from: Yirgacheffe, Ethiopia
  tastes: jasmine, peach
  goodFor: filter
  new: true
- name: La Palma
  from: Cundinamarca, Colombia
  tastes: red apple, caramel
  goodFor: filter, moka pot
- name: Night shift
  from: Peru, decaffeinated
  tastes: dark sugar, plum
  goodFor: everything after four
`;

const INDEX = `---
title: Our coffee
description: What is in the grinder this season, and how to brew it at home.
inherit: full
template: coffees
order: 1
---

# Our coffee at {{ partner.name }}

We roast on Tuesdays and Fridays, in batches small enough to taste every one. What you
drink at {{ partner.name }} left our roastery within the last ten days.

House favourite here: **{{ partner.favourite }}**.

## What is on the label

Every bag names the farm, the harvest, the day we roasted it and what we paid. If a label
does not tell you, we do not know, and then we do not sell it.

> Coffee is a fruit. Treat it like one: buy little, buy often, keep it cool and dry.

Read on: [how to brew it at home](brewing.md), [when to visit](visit.md),
[what is new](news/index.md), [who we are](story.md).

## In the grinder this season
`;

const BREWING = `---
title: Brewing at home
description: Three ways to a good cup with what is in most kitchens.
inherit: full
order: 2
---

# Brewing at home

Sixty grams of coffee to a litre of water, water just off the boil, and a grinder if you can.
Everything else is taste.

> [!TIP]
> The scales from the kitchen will do: coffee is weighed, not measured in spoons.

## Pour-over, three minutes

1. Rinse the paper with hot water and throw that water away.
2. Put in **15 g** of coffee, ground like coarse sand.
3. Pour **50 g** of water, wait half a minute: the coffee blooms.
4. Pour up to **250 g** in slow circles. It should have run through after three minutes.

Too sour? Grind finer. Too bitter? Grind coarser.

## French press, five minutes

- 30 g of coffee, ground coarsely, and 500 g of water
- stir once, put the lid on, wait four minutes
- break the crust, skim the foam, press slowly, pour at once

## Moka pot

Fill the base with hot water to the valve, the funnel to the rim, without pressing. Low heat,
lid open. Take it off when the stream turns pale.

[Back to our coffee](index.md)
`;

const VISIT = `---
title: Visit us
description: Where to taste our coffee near you, and when we pour samples.
inherit: framework
order: 3
slots:
  opening-hours:
    description: When the shop is open
    required: false
  tastings:
    description: The dates of tastings in the shop, if there are any
    required: false
---

# Visit us at {{ partner.name }}

Come by, try two coffees side by side, and take home the one that you like better. We train
everybody who pours our coffee, and we come back every month to taste with them.

## Opening hours

<slot name="opening-hours">

Please ask at the counter, or look at the [shop's own pages]({{ partner.url }}).

</slot>

## Tastings

<slot name="tastings">

No dates yet. The barista will gladly pour you a sample of what is in the grinder.

</slot>

Before you come: [what is in the grinder](index.md).
`;

const NEWS = `---
title: News
description: What is new at the roastery and in the shops.
inherit: full
order: 5
paginate: { collection: latest, size: 5 }
---

# News
`;

function atTheCounter(day: string): string {
  return `---
title: Our coffee has a new counter
description: From today on it is poured at one more place.
inherit: full
date: ${day}
---

# Our coffee has a new counter

From today on it is poured at {{ partner.name }}, too. Ask for the {{ data.coffees.0.name }}, and
[come to a tasting](../visit.md).
`;
}

function newHarvest(day: string): string {
  return `---
title: The new harvest is here
description: Forty sacks from Gedeb, and what they taste of.
inherit: full
date: ${day}
---

# The new harvest is here

Forty sacks from Gedeb came up the ramp, dried longer than last year's. We cupped them four
times and changed the roast twice.

> [!NOTE] Not for milk
> It tastes of jasmine and peach, and milk covers both. [Brew it as a filter](../brewing.md).
`;
}

function story(siteName: string): string {
  return `---
title: Who we are
description: ${JSON.stringify(`How ${siteName} began in a garage with one roaster and eleven kilos of green coffee.`)}
inherit: link
order: 4
---

# Who we are

The whole story lives on our own site; partners show its title, its description and a link to it.
`;
}
