//! What is for sale: about 500 products, made from the seed at start and never changed.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;

use crate::mix::{mix, pick};

/// Number of the first product; the others follow without gaps.
pub(crate) const FIRST_ID: u32 = 1_001;
const PRODUCTS: u32 = 500;

pub(crate) const CATEGORIES: &[&str] = &[
    "bags", "bikes", "books", "camping", "garden", "kitchen", "lamps", "shoes", "toys", "watches",
];
const ADJECTIVES: &[&str] = &[
    "Alpine", "Bright", "Classic", "Compact", "Everyday", "Folding", "Light", "Nordic", "Quiet",
    "Rugged", "Simple", "Slim", "Solid", "Studio", "Swift", "Urban",
];
const NOUNS: &[&str] = &[
    "Arc", "Basis", "Cove", "Drift", "Echo", "Field", "Grove", "Haven", "Isle", "Junction", "Loop",
    "Mesa", "North", "Orbit", "Pine", "Ridge", "Stone", "Trail", "Vale", "Wave",
];
const OPINIONS: &[&str] = &[
    "Does what it says.",
    "Arrived a day late, but I like it.",
    "Second one I bought.",
    "Smaller than the picture.",
    "My daughter took it from me.",
    "Good value.",
    "Broke after a month, replaced without fuss.",
];

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Product {
    pub(crate) id: u32,
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) category: &'static str,
    pub(crate) price_cents: u32,
    pub(crate) rating: f64,
    pub(crate) image: String,
    pub(crate) description: String,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Review {
    id: u64,
    stars: u64,
    text: &'static str,
}

#[derive(Debug)]
pub(crate) struct Catalogue {
    products: Vec<Product>,
}

impl Catalogue {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(mix(seed));
        let products = (FIRST_ID..FIRST_ID + PRODUCTS).map(|id| product(id, &mut rng));
        Self {
            products: products.collect(),
        }
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Product> {
        let place = usize::try_from(id.checked_sub(FIRST_ID)?).ok()?;
        self.products.get(place)
    }

    pub(crate) fn all(&self) -> &[Product] {
        &self.products
    }

    /// Products of a category (all without one), in the order asked for.
    pub(crate) fn list(&self, category: Option<&str>, sort: Option<&str>) -> Vec<&Product> {
        let mut found: Vec<&Product> = self
            .products
            .iter()
            .filter(|product| category.is_none_or(|wanted| product.category == wanted))
            .collect();
        match sort {
            Some("price") => found.sort_by_key(|product| product.price_cents),
            Some("-price") => found.sort_by_key(|product| std::cmp::Reverse(product.price_cents)),
            Some("rating") => found.sort_by(|a, b| b.rating.total_cmp(&a.rating)),
            Some("name") => found.sort_by(|a, b| a.name.cmp(&b.name)),
            _ => {}
        }
        found
    }

    /// Products whose name or category contains every word.
    pub(crate) fn search(&self, query: &str) -> Vec<&Product> {
        let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
        let matches = |product: &&Product| {
            let text = format!("{} {}", product.name, product.category).to_lowercase();
            !words.is_empty() && words.iter().all(|word| text.contains(word))
        };
        self.products.iter().filter(matches).collect()
    }
}

/// Zero to eleven opinions, always the same for a product.
pub(crate) fn reviews(id: u32) -> Vec<Review> {
    let hash = mix(u64::from(id) << 20);
    (0..hash % 12)
        .map(|n| Review {
            id: u64::from(id) * 100 + n,
            stars: 1 + mix(hash + n) % 5,
            text: pick(mix(hash ^ n), OPINIONS),
        })
        .collect()
}

fn product(id: u32, rng: &mut SmallRng) -> Product {
    let category = pick(rng.random(), CATEGORIES);
    let name = format!(
        "{} {}",
        pick(rng.random(), ADJECTIVES),
        pick(rng.random(), NOUNS)
    );
    Product {
        id,
        sku: format!(
            "{}-{:05}",
            category.to_uppercase(),
            rng.random_range(0..100_000)
        ),
        description: format!("{name}, from our {category}. Ships in two days."),
        name,
        category,
        price_cents: rng.random_range(5..400) * 50 - 1,
        rating: f64::from(rng.random_range(20..=50)) / 10.0,
        image: format!("/images/{id}.webp"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_filtered_and_sorted() {
        let shop = Catalogue::new(3);
        assert_eq!(shop.list(None, None).len(), 500);
        let bags = shop.list(Some("bags"), Some("price"));
        assert!(bags.iter().all(|product| product.category == "bags"));
        assert!(bags.is_sorted_by_key(|product| product.price_cents));
        assert!(shop.list(Some("nothing"), None).is_empty());
    }

    #[test]
    fn search_needs_every_word() {
        let shop = Catalogue::new(3);
        let name = shop
            .get(FIRST_ID)
            .map(|product| product.name.clone())
            .unwrap();
        assert!(
            shop.search(&name.to_uppercase())
                .iter()
                .any(|found| found.name == name)
        );
        assert!(shop.search(&format!("{name} zeppelin")).is_empty());
        assert!(shop.search(" ").is_empty());
        assert!(shop.get(FIRST_ID + PRODUCTS).is_none());
    }

    #[test]
    fn a_seed_makes_one_catalogue() {
        let names = |seed| {
            Catalogue::new(seed)
                .all()
                .iter()
                .map(|p| p.name.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(1), names(1));
        assert_ne!(names(1), names(2));
    }
}
