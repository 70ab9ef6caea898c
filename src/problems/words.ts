/** Short words that no reply has but to name them. */
export const WORDS: readonly string[] =
  `acorn amber anvil apple arrow badge bagel basil beach berry birch blaze bloom brick brook broom cabin camel candle
  cedar chalk cherry cider clover cobra coral daisy denim eagle ember fable falcon fern fiddle flint fossil garnet ginger
  glove grape hazel heron honey igloo ivory jelly kayak kettle lemon lilac linen llama mango maple medal melon mint
  mosaic nectar nutmeg oasis olive onyx otter paddle pearl pebble pepper plum poppy quartz quill raven robin saddle
  salmon spruce squash sugar thistle tulip turnip velvet violet walnut willow zebra`.split(/\s+/);
