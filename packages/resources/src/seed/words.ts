/** What the sample shop sells: eight departments of four shelves, each with its kinds of things. */
export const departments: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  Kitchen: {
    Cookware: ['Saucepan', 'Stock Pot', 'Frying Pan', 'Casserole'],
    Knives: ['Paring Knife', 'Bread Knife', 'Cleaver', 'Knife Block'],
    'Coffee and Tea': ['Kettle', 'Coffee Grinder', 'Teapot', 'Espresso Maker'],
    Storage: ['Jar', 'Bread Bin', 'Lunch Box', 'Spice Rack'],
  },
  Office: {
    Desks: ['Writing Desk', 'Standing Desk', 'Corner Desk', 'Desk Shelf'],
    Chairs: ['Swivel Chair', 'Stool', 'Armchair', 'Kneeling Chair'],
    Paper: ['Notebook', 'Sketch Pad', 'Index Cards', 'Envelope Set'],
    Pens: ['Fountain Pen', 'Ballpoint', 'Pencil Set', 'Marker'],
  },
  Outdoor: {
    Tents: ['Dome Tent', 'Tarp', 'Bivouac', 'Family Tent'],
    Backpacks: ['Daypack', 'Trekking Pack', 'Hip Bag', 'Dry Bag'],
    'Camp Kitchen': ['Gas Stove', 'Mess Kit', 'Water Filter', 'Camp Mug'],
    Navigation: ['Compass', 'Map Case', 'Altimeter', 'Headlamp'],
  },
  Electronics: {
    Audio: ['Headphones', 'Loudspeaker', 'Turntable', 'Microphone'],
    Cameras: ['Compact Camera', 'Tripod', 'Lens', 'Camera Bag'],
    Computing: ['Keyboard', 'Trackball', 'Monitor', 'Docking Station'],
    Lighting: ['Desk Lamp', 'Floor Lamp', 'Lantern', 'Light Strip'],
  },
  Garden: {
    Tools: ['Spade', 'Rake', 'Pruning Shears', 'Wheelbarrow'],
    Pots: ['Planter', 'Window Box', 'Hanging Pot', 'Saucer'],
    Watering: ['Watering Can', 'Hose', 'Sprinkler', 'Rain Barrel'],
    Furniture: ['Bench', 'Folding Chair', 'Parasol', 'Garden Table'],
  },
  Sports: {
    Cycling: ['Bicycle Bell', 'Saddle', 'Helmet', 'Pannier'],
    Running: ['Running Belt', 'Cap', 'Wind Vest', 'Reflector'],
    Swimming: ['Goggles', 'Kickboard', 'Swim Cap', 'Towel'],
    Climbing: ['Harness', 'Chalk Bag', 'Rope', 'Carabiner'],
  },
  Home: {
    Textiles: ['Blanket', 'Cushion', 'Curtain', 'Rug'],
    Bath: ['Bath Mat', 'Soap Dish', 'Mirror', 'Towel Rail'],
    Decoration: ['Vase', 'Picture Frame', 'Candle Holder', 'Wall Clock'],
    Cleaning: ['Broom', 'Dustpan', 'Laundry Basket', 'Brush Set'],
  },
  Toys: {
    Building: ['Wooden Blocks', 'Marble Run', 'Crane Kit', 'Bridge Kit'],
    Puzzles: ['Jigsaw', 'Cube Puzzle', 'Tangram', 'Maze'],
    Games: ['Chess Set', 'Draughts', 'Card Game', 'Dice Game'],
    Music: ['Xylophone', 'Drum', 'Recorder', 'Tambourine'],
  },
}

export const styles = [
  'Classic', 'Compact', 'Folding', 'Heavy-Duty', 'Light', 'Nordic', 'Pocket', 'Rustic', 'Slim', 'Studio', 'Travel',
] // prettier-ignore

export const materials = [
  'Aluminium', 'Bamboo', 'Beech', 'Brass', 'Canvas', 'Ceramic', 'Copper', 'Cork', 'Felt', 'Glass', 'Oak', 'Steel',
] // prettier-ignore

export const colours = [
  'black',
  'blue',
  'cream',
  'green',
  'grey',
  'natural',
  'red',
  'silver',
  'white',
  'yellow',
]

export const countries = [
  'AT',
  'CA',
  'CH',
  'DE',
  'DK',
  'ES',
  'FI',
  'FR',
  'GB',
  'IT',
  'JP',
  'NL',
  'NO',
  'PT',
  'SE',
  'US',
]

export const brandHeads = [
  'Alder', 'Birk', 'Cove', 'Dahl', 'Elm', 'Fjord', 'Gale', 'Harbour', 'Isle', 'Juniper', 'Kelp', 'Loch', 'Moor', 'Nord',
  'Ostrava', 'Pier', 'Quay', 'Reed', 'Skerry', 'Tide',
] // prettier-ignore

export const brandTails = [
  '& Sons',
  'Atelier',
  'Brothers',
  'Company',
  'Forge',
  'Goods',
  'House',
  'Mill',
  'Supply',
  'Works',
]

export const sentences = [
  'Made in small runs and checked by hand before it leaves the workshop.',
  'Every part can be replaced, and the parts are listed in the booklet that comes with it.',
  'The surface is finished with plant oil and gets better with use.',
  'It fits into a standard shelf and weighs less than it looks.',
  'Wipe it clean with a damp cloth; no special care is needed.',
  'Designed together with people who use it every day.',
  'The edges are rounded, the joints are sealed and nothing rattles.',
  'It comes in a box of recycled board without any plastic.',
  'Spare parts are kept for at least ten years after the last one is made.',
  'Tested for a hundred thousand uses, which is about a lifetime.',
  'A quiet design that goes with what you have.',
  'Packed flat, set up in minutes, no tools needed.',
]
