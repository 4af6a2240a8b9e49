//! A colour, and how it stands out from another.

/// Red, green and blue.
pub(crate) type Rgb = [u8; 3];

/// Reads `#rrggbb`; anything else is black.
pub(crate) fn parse(hex: &str) -> Rgb {
    let digits = hex.strip_prefix('#').filter(|d| d.len() == 6 && d.is_ascii()).unwrap_or("000000");
    let part = |i: usize| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap_or(0);
    [part(0), part(1), part(2)]
}

#[cfg(test)]
pub(crate) mod contrast {
    use super::Rgb;

    /// WCAG 2.2, relative luminance.
    fn luminance(color: Rgb) -> f64 {
        let [r, g, b] = linear(color);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn linear(color: Rgb) -> [f64; 3] {
        color.map(|c| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// WCAG 2.2, contrast ratio, 1 to 21.
    pub fn ratio(a: Rgb, b: Rgb) -> f64 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        if a > b { a / b } else { b / a }
    }

    /// How far two colours are apart in Oklab (Ottosson 2020), times 100, for a reader with full
    /// colour vision or with one kind of cone missing (Machado, Oliveira and Fernandes 2009).
    pub fn distance(a: Rgb, b: Rgb, vision: Vision) -> f64 {
        let (a, b) = (oklab(seen(a, vision)), oklab(seen(b, vision)));
        100.0 * a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    #[derive(Debug, Clone, Copy)]
    pub enum Vision {
        Full,
        Protanopia,
        Deuteranopia,
        Tritanopia,
    }

    fn seen(color: Rgb, vision: Vision) -> [f64; 3] {
        let matrix = match vision {
            Vision::Full => return linear(color),
            Vision::Protanopia => [
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ],
            Vision::Deuteranopia => [
                [0.367322, 0.860646, -0.227968],
                [0.280085, 0.672501, 0.047413],
                [-0.011820, 0.042940, 0.968881],
            ],
            Vision::Tritanopia => [
                [1.255528, -0.076749, -0.178779],
                [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900],
            ],
        };
        let color = linear(color);
        matrix.map(|row| row.iter().zip(color).map(|(m, c)| m * c).sum::<f64>().clamp(0.0, 1.0))
    }

    fn oklab([r, g, b]: [f64; 3]) -> [f64; 3] {
        let l = (0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b).cbrt();
        let m = (0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b).cbrt();
        let s = (0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b).cbrt();
        [
            0.210_454_255_3 * l + 0.793_617_785 * m - 0.004_072_046_8 * s,
            1.977_998_495_1 * l - 2.428_592_205 * m + 0.450_593_709_9 * s,
            0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766 * s,
        ]
    }
}
